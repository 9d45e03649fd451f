# A model copied whole: archives of pg_dump in every format, with and without rows, taken while a refresh runs; physical
# backups; pg_upgrade.  What is copied answers alike.  (001_dump.pl has plain dumps, 004_replica.pl streaming.)
#
# RECO_OLD_BINDIR names the programs of another server to upgrade from, and RECO_OLD_SERVER_CONF a file with settings by
# which it finds reco; without them the upgrade is to the same version.

use strict;
use warnings;
use File::Basename qw(dirname);
use FindBin;
use lib $FindBin::RealBin;
use Faults;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# A shop of integers, a library of names and uuids, and what makes lists of factors, of one owner who is no superuser.
my $models = q{
	CREATE EXTENSION reco;
	CREATE ROLE keeper LOGIN;
	GRANT CREATE ON DATABASE postgres TO keeper;
	GRANT CREATE, USAGE ON SCHEMA public TO keeper;
	SET ROLE keeper;
	CREATE TABLE orders AS
		SELECT c AS customer_id, (c % 6) + 6 * ((c * 7 + n * n) % 10) AS product_id, timestamptz '2024-01-01' + n * interval '9 days' + c * interval '1 hour' AS at
		FROM generate_series(1, 400) c, generate_series(1, 9) n;
	CREATE TABLE products AS SELECT p AS id, 'kind ' || p % 6 AS kind FROM generate_series(0, 64) p;
	CREATE INDEX ON orders (customer_id);
	SELECT reco_create_model('shop', 'SELECT customer_id AS user_id, product_id AS item_id, at AS occurred_at FROM public.orders',
		'SELECT id AS item_id, kind FROM public.products');
	SELECT reco_create_model('library', $$SELECT 'reader ' || customer_id AS user_id, md5(product_id::text)::uuid AS item_id FROM public.orders$$);
	SELECT reco_create_model('taste', 'SELECT customer_id AS user_id, product_id AS item_id FROM public.orders');
	SELECT reco_configure('taste', algorithm => 'factors', factors => 8, iterations => 3);
	SELECT reco_refresh(m) FROM unnest('{shop,library,taste}'::text[]) m};

my $answers = q{
	SELECT c, t.* FROM generate_series(1, 405) c CROSS JOIN LATERAL shop.top_n(c, 10) WITH ORDINALITY t;
	SELECT c, t.* FROM generate_series(1, 100) c CROSS JOIN LATERAL library.top_n('reader ' || c, 10) WITH ORDINALITY t;
	SELECT c, t.* FROM generate_series(1, 100) c CROSS JOIN LATERAL taste.top_n(c, 10) WITH ORDINALITY t;
	SELECT c, p, shop.match(c, p), shop.score(c, p) FROM generate_series(1, 20) c, generate_series(0, 64) p ORDER BY 1, 2;
	SELECT * FROM shop.similar ORDER BY item_id, rank; SELECT * FROM library.popular ORDER BY item_id;
	SELECT * FROM taste.item_factor ORDER BY item_id; TABLE shop.model; TABLE library.model; TABLE taste.model};
my $when = qr/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[.\d]*\+00/;

# The answers without the time of the refresh, for where that must differ.
sub timeless { my ($text) = @_; $text =~ s/$when//g; return $text; }

my $node = server('main', '', allows_streaming => 1);
$node->start;
$node->safe_psql('postgres', $models);
my $expected = $node->safe_psql('postgres', $answers);
cmp_ok(length($expected), '>', 100_000, 'there is something to compare');
my $folder = PostgreSQL::Test::Utils::tempdir;


# Archives.

sub restored
{
	my ($name, $database, @arguments) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $database OWNER keeper");
	$node->command_ok([ 'pg_restore', '--exit-on-error', '-d', $database, @arguments ], "$name: restored");
}

for my $format ('custom', 'directory', 'tar')
{
	my $file = "$folder/whole.$format";
	my @jobs = $format eq 'tar' ? () : ('-j', '2');
	$node->command_ok([ 'pg_dump', '--no-sync', "--format=$format", '-f', $file, $format eq 'directory' ? @jobs : (), 'postgres' ], "$format: dumped");
	restored($format, "whole_$format", @jobs, $file);
	is($node->safe_psql("whole_$format", $answers), $expected, "$format: the copy answers alike");
}

# One model out of an archive of all, by its owner, who is no superuser, into a database that has the tables.
{
	$node->safe_psql('postgres', 'CREATE DATABASE part OWNER keeper');
	$node->safe_psql('part', 'CREATE EXTENSION reco; GRANT CREATE ON SCHEMA public TO keeper');
	$node->command_ok([ 'pg_restore', '--exit-on-error', '-U', 'keeper', '-d', 'part', '-t', 'orders', '-t', 'products', "$folder/whole.custom" ], 'part: tables');
	$node->command_ok([ 'pg_dump', '--no-sync', '-U', 'keeper', '--format=custom', '-n', 'shop', '-f', "$folder/shop.custom", 'postgres' ], 'part: the owner dumps the model');
	$node->command_ok([ 'pg_restore', '--exit-on-error', '-U', 'keeper', '-d', 'part', "$folder/shop.custom" ], 'part: and restores it');
	my ($asked) = $answers =~ /(SELECT c, t.*?shop.*?;)/s;
	is($node->safe_psql('part', $asked), $node->safe_psql('postgres', $asked), 'part: it answers alike');
	is($node->safe_psql('part', q{SELECT string_agg(model, ',') FROM reco_models()}), 'shop', 'part: it is the only one');
	is($node->safe_psql('part', q{SET ROLE keeper; SELECT rows_written FROM reco_refresh('shop')}), 0, 'part: a refresh by its owner finds nothing to write');
}

# The schema alone: a model that has to learn first, which says so, and then is what it was; or which is given its rows.
{
	$node->command_ok([ 'pg_dump', '--no-sync', '--schema-only', '--format=custom', '-f', "$folder/bare", 'postgres' ], 'bare: dumped');
	restored('bare', 'bare', "$folder/bare");
	my ($status, $out, $err) = $node->psql('bare', q{SELECT * FROM shop.top_n(1, 3)}, extra_params => [ '-v', 'VERBOSITY=verbose' ]);
	like($err, qr/ERROR:  XX001: table "shop.model" must hold one row\nHINT:  Drop the model/, 'bare: it says what is missing');
	$node->command_ok([ 'pg_restore', '--exit-on-error', '--data-only', '-d', 'bare', "$folder/whole.custom" ], 'bare: given its rows');
	is($node->safe_psql('bare', $answers), $expected, 'bare: it answers alike');
}

# A dump that is taken while a refresh is open holds the old model; one by several jobs, too.
{
	my ($session) = session($node);
	$session->query_safe(q{BEGIN; INSERT INTO orders SELECT c, 60 + c % 5, '2024-06-01' FROM generate_series(1, 400) c; SELECT reco_refresh('shop')});
	isnt($session->query_safe($answers), $expected, 'meanwhile: the refresh learns something');
	$node->command_ok([ 'pg_dump', '--no-sync', '--format=directory', '-j', '2', '-f', "$folder/meanwhile", 'postgres' ], 'meanwhile: dumped');
	$session->query_safe('ROLLBACK');
	$session->quit;
	restored('meanwhile', 'meanwhile', "$folder/meanwhile");
	is($node->safe_psql('meanwhile', $answers), $expected, 'meanwhile: the copy answers as before the refresh');
}


# A physical backup, taken while a refresh is open, and its answers on a server of its own.
{
	my ($session) = session($node);
	$session->query_safe(q{BEGIN; INSERT INTO orders SELECT c, 60 + c % 5, '2024-06-01' FROM generate_series(1, 400) c; SELECT reco_refresh('shop')});
	$node->backup('held');
	$session->query_safe('ROLLBACK');
	$session->quit;
	my $copy = PostgreSQL::Test::Cluster->new('copy');
	$copy->init_from_backup($node, 'held');
	$copy->start;
	is($copy->safe_psql('postgres', $answers), $expected, 'pg_basebackup: the copy answers as before the refresh');
	is($copy->safe_psql('postgres', q{SELECT rows_written FROM reco_refresh('shop')}), 0, 'pg_basebackup: its refresh finds nothing to write');
	is(leftovers($copy), '', 'pg_basebackup: nothing of the refresh that was open lies about');
	$copy->stop;
}
$node->stop;


# pg_upgrade.  From 18 on it looks for libraries in the folder of the server alone, whatever dynamic_library_path says: where
# reco is not installed there, a copy of that folder with reco in it is put in its place, for pg_upgrade only.
SKIP:
{
	my $library = $node->config_data('--pkglibdir');
	chomp $library;
	my $settings = slurp_file($node->data_dir . '/postgresql.conf');
	my @in_place;
	if ($settings =~ /^extension_control_path/m && !-e "$library/reco.so")
	{
		my ($installed) = $settings =~ /^dynamic_library_path = '([^:']+)/m;
		my @alone = ('unshare', '-Um', '--map-current-user', '--keep-caps');
		skip 'no folder can be put in the place of another one here', 1
		  if system("mkdir '$folder/lib' && cp '$library'/*.so '$installed/reco.so' '$folder/lib' && @alone mount --bind '$folder/lib' '$library' >/dev/null 2>&1") != 0;
		@in_place = (@alone, 'bash', '-c', qq{mount --bind '$folder/lib' '$library' && exec "\$@"}, 'bash');
	}
	my $old_programs = $ENV{RECO_OLD_BINDIR};
	my $here = $node->config_data('--bindir');
	chomp $here;
	my $old = PostgreSQL::Test::Cluster->new('old', $old_programs ? (install_path => dirname($old_programs)) : ());
	$old->init;
	my $conf = $old_programs ? $ENV{RECO_OLD_SERVER_CONF} : $ENV{RECO_SERVER_CONF};
	$old->append_conf('postgresql.conf', slurp_file($conf)) if $conf && -s $conf;
	$old->append_conf('postgresql.conf', "timezone = 'UTC'\nautovacuum = off");
	$old->start;
	note('from ' . $old->safe_psql('postgres', 'SELECT version()'));
	$old->safe_psql('postgres', $models);
	my $before = $old->safe_psql('postgres', $answers);
	$old->stop;

	my $new = server('new', '');
	# From 18 on a cluster has checksums unless it is told not to, and both must be alike.
	my $checksums = sub { my ($programs, $data) = @_; return `'$programs/pg_controldata' '$data'` =~ /^Data page checksum version:\s+([1-9])/m; };
	$new->command_ok([ 'pg_checksums', '--disable', '-D', $new->data_dir ], 'without checksums')
	  if &$checksums($here, $new->data_dir) && !&$checksums($old_programs // $here, $old->data_dir);
	chdir $folder;
	$new->command_ok([ @in_place, 'pg_upgrade', '--no-sync', '-d', $old->data_dir, '-D', $new->data_dir, '-b', $old_programs // $here, '-B', $here,
			'-s', $new->host, '-p', $old->port, '-P', $new->port ], 'pg_upgrade');
	$new->start;
	note('to ' . $new->safe_psql('postgres', 'SELECT version()'));
	is($new->safe_psql('postgres', $answers), $before, 'pg_upgrade: the models answer alike');
	is($new->safe_psql('postgres', q{SET ROLE keeper; SELECT r.rows_written FROM unnest('{shop,library,taste}'::text[]) m, reco_refresh(m) r}),
		"0\n0\n0", 'pg_upgrade: refreshes find nothing to write');
	is(timeless($new->safe_psql('postgres', $answers)), timeless($before), 'pg_upgrade: and change nothing');
	$new->stop;
}

log_holds_no_fault($node, 'the log holds no fault');
done_testing();
