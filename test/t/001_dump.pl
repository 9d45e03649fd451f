# A model travels: dump and restore, a schema dumped alone, renamed, dropped.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', slurp_file($ENV{RECO_SERVER_CONF}))
  if -s ($ENV{RECO_SERVER_CONF} // '');
$node->append_conf('postgresql.conf', "timezone = 'UTC'");
$node->start;

my $folder = PostgreSQL::Test::Utils::tempdir;

# Everything the two models say, to be compared.
my %questions = (
	'reco_top_n of all users' => q{
		SELECT c.id, t.* FROM generate_series(1, 305) c(id)
		CROSS JOIN LATERAL reco_top_n(c.id, 10, 'shop') WITH ORDINALITY t},
	'shop.top_n of all users' => q{
		SELECT c.id, t.* FROM generate_series(1, 305) c(id) CROSS JOIN LATERAL shop.top_n(c.id, 10) WITH ORDINALITY t},
	'shop.top_n_all' => 'SELECT * FROM shop.top_n_all(10) ORDER BY user_id, rank',
	'shop.similar' => 'SELECT * FROM shop.similar ORDER BY item_id, rank',
	'shop.popular' => 'SELECT * FROM shop.popular ORDER BY item_id',
	'shop.model' => 'SELECT * FROM shop.model',
	'the doors of shop' => q{
		SELECT p.id, s.*, shop.score(7, p.id), shop.match(7, p.id), reco_match(7, p.id, 'shop')
		FROM products p CROSS JOIN LATERAL shop.similar_items(p.id, 5) s ORDER BY p.id, s.item_id;
		SELECT * FROM shop.complete(ARRAY[1, 2], 10); SELECT * FROM shop.why(7, 13);
		SELECT * FROM shop.popular(10); SELECT * FROM shop.trending(10)},
	'media.top_n of all users' => q{
		SELECT p.name, t.* FROM (SELECT DISTINCT name FROM plays ORDER BY name) p
		CROSS JOIN LATERAL media.top_n(p.name, 10) WITH ORDINALITY t},
	'media.similar' => 'SELECT * FROM media.similar ORDER BY item_id, rank',
	'media as scored' => q{
		BEGIN; SELECT reco_configure('media', reranked => false); SELECT p.name, t.* FROM (SELECT DISTINCT name FROM plays ORDER BY name) p
		CROSS JOIN LATERAL media.top_n(p.name, 10) WITH ORDINALITY t; ROLLBACK},
	'media.learned_ranking' => 'SELECT m.reranked_first, r.*, repeat(\'-\', 200) FROM media.model m, media.learned_ranking r ORDER BY layer, unit, feature',
	'media.popular' => 'SELECT * FROM media.popular ORDER BY item_id',
	'taste.top_n of all users' => q{
		SELECT p.name, t.* FROM (SELECT DISTINCT name FROM plays ORDER BY name) p
		CROSS JOIN LATERAL taste.top_n(p.name, 10) WITH ORDINALITY t},
	'taste.item_factor' => 'SELECT * FROM taste.item_factor ORDER BY item_id',
	'taste.user_factors' => 'SELECT * FROM taste.user_factors() ORDER BY user_id',);

my $shop_only = qr/shop/;

# All answers in one text.
sub answers
{
	my ($database, $which) = @_;
	my %answers = map { $_ => $node->safe_psql($database, $questions{$_}) }
	  grep { $_ =~ $which } keys %questions;
	return \%answers;
}

# Compares the answers of a database with the first ones, question by question.
sub same_answers
{
	my ($got, $expected, $where) = @_;
	is($got->{$_}, $expected->{$_}, "$where: $_") for sort keys %$got;
}

# An SQL statement must fail with a SQLSTATE and a message.
sub fails_like
{
	my ($database, $sql, $state, $message, $name) = @_;
	my ($status, $out, $err) = $node->psql($database, $sql, extra_params => [ '-v', 'VERBOSITY=verbose' ]);
	isnt($status, 0, "$name: fails");
	like($err, qr/ERROR:  \Q$state\E: .*$message/s, "$name: says why");
}

# Runs pg_dump into a file of plain SQL and returns its text without what differs each time.
sub dump_of
{
	my ($file, @arguments) = @_;
	$node->command_ok([ 'pg_dump', '--no-sync', '-f', $file, @arguments ], "pg_dump @arguments");
	my $text = slurp_file($file);
	$text =~ s/^\\(un)?restrict .*\n//mg;
	return $text;
}

sub restore
{
	my ($file, $database) = @_;
	$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $database, '-f', $file ],
		"restored into $database");
}

$node->safe_psql('postgres', 'CREATE ROLE clerk LOGIN; CREATE DATABASE origin');
$node->safe_psql('origin', q{
	CREATE EXTENSION reco;
	CREATE TABLE products (id int PRIMARY KEY, name text, in_stock boolean NOT NULL, released_at date);
	CREATE TABLE orders (customer_id int, product_id int, ordered_at timestamptz, weight float8);
	CREATE TABLE plays (name text, track uuid, at timestamp);
	INSERT INTO products SELECT p, 'product ' || p, p % 13 <> 0, date '2023-01-01' + p FROM generate_series(0, 65) p;
	INSERT INTO orders
		SELECT c, (c % 6) + 6 * ((c * 7 + n * n) % 10), timestamptz '2024-01-01' + n * interval '9 days' + c * interval '1 hour',
			CASE WHEN (c + n) % 17 = 0 THEN -1 ELSE 1 + n % 3 END
		FROM generate_series(1, 300) c, generate_series(1, 8) n
		UNION ALL
		SELECT c, (c * 11 + n * 17) % 60, timestamptz '2024-02-01' + n * interval '1 day', 0.5
		FROM generate_series(1, 300) c, generate_series(1, 4) n;
	INSERT INTO plays
		SELECT 'listener ' || c, md5('track ' || (c % 4) + 4 * ((c * 3 + n * n) % 12))::uuid, timestamp '2024-03-01' + n * interval '1 day'
		FROM generate_series(1, 120) c, generate_series(1, 9) n;
	SELECT reco_create_model('shop',
		'SELECT customer_id AS user_id, product_id AS item_id, ordered_at AS occurred_at, weight FROM public.orders',
		'SELECT id AS item_id, name, released_at FROM public.products WHERE in_stock');
	SELECT reco_configure('shop', min_match => 55, neighbors => 20, popular_half_life => '60 days');
	SELECT reco_create_model('media', 'SELECT name AS user_id, track AS item_id, at AS occurred_at FROM public.plays');
	SELECT reco_create_model('taste', 'SELECT name AS user_id, track AS item_id FROM public.plays');
	SELECT reco_configure('taste', algorithm => 'factors', factors => 8);
	SELECT reco_refresh('shop');
	SELECT reco_refresh('media');
	INSERT INTO media.learned_ranking VALUES ('mean', 0, 'place', 3), ('scale', 0, 'place', 1), ('direct', 0, 'place', 0.3),
		('hidden', 1, 'place', -0.7), ('hidden', 1, 'bias', 0.4), ('hidden', 1, 'output', 1.5);
	UPDATE media.model SET reranked_first = 20, reranked_of = picked_similarity;
	SELECT reco_refresh('taste');
	GRANT USAGE ON SCHEMA shop TO clerk;
	GRANT SELECT ON orders, products TO clerk;
});

my $expected = answers('origin', qr/./);
cmp_ok(length($expected->{$_}), '>', $_ eq 'shop.model' ? 100 : 1000, "there is something to compare: $_")
  for sort keys %$expected;
like($expected->{'reco_top_n of all users'}, qr/\|personal\|/, 'with personal rows');
isnt($expected->{'media.top_n of all users'}, $expected->{'media as scored'}, 'and rows in the order of a network');
like($expected->{'reco_top_n of all users'}, qr/^305\|/m, 'and rows for users without events');
unlike($expected->{'shop.popular'}, qr/^61\|/m, 'products that nobody touched are not learned');

# The whole database.
my $whole = dump_of("$folder/whole.sql", 'origin');
$node->safe_psql('postgres', 'CREATE DATABASE copy');
restore("$folder/whole.sql", 'copy');
same_answers(answers('copy', qr/./), $expected, 'whole dump');
is(dump_of("$folder/again.sql", 'copy'), $whole, 'the dump of the copy is the dump of the original');
is($node->safe_psql('copy', q{SELECT rows_written FROM reco_refresh('shop')}), 0, 'a refresh of the copy finds nothing to write');
is($node->safe_psql('copy', q{SET ROLE clerk; SELECT count(*) FROM shop.top_n(1)}), 10, 'grants came along');
is( $node->safe_psql('copy', q{SELECT pg_catalog.obj_description('shop.similar'::regclass)}),
	$node->safe_psql('origin', q{SELECT pg_catalog.obj_description('shop.similar'::regclass)}),
	'comments came along');
$node->safe_psql('copy', q{
	INSERT INTO orders VALUES (999, 5, '2024-04-01', 1), (999, 11, '2024-04-02', 1);
	SELECT reco_refresh('shop')});
is($node->safe_psql('copy', q{SELECT events FROM shop.model}), 3602, 'the copy learns on its own');
is($node->safe_psql('origin', q{SELECT events FROM shop.model}), 3600, 'and the original knows nothing of it');

# One schema, into a database where reco is.
dump_of("$folder/tables.sql", '-t', 'public.orders', '-t', 'public.products', 'origin');
dump_of("$folder/shop.sql", '-n', 'shop', 'origin');
$node->safe_psql('postgres', 'CREATE DATABASE branch');
$node->safe_psql('branch', 'CREATE EXTENSION reco');
restore("$folder/tables.sql", 'branch');
restore("$folder/shop.sql", 'branch');
same_answers(answers('branch', $shop_only), $expected, 'dump of a schema');
is($node->safe_psql('branch', 'SELECT model, user_type, item_type FROM reco_models()'),
	'shop|integer|integer', 'it is a model there');
is($node->safe_psql('branch', 'SELECT count(*) FROM reco_top_n(7)'), 10, 'the only one');

# Renamed, in sessions that know it by its old name as well.
my $session = $node->background_psql('branch', on_error_stop => 0);
my $before = $session->query_safe(q{SELECT * FROM reco_top_n(7, 20)});
my $door = $session->query_safe(q{
	CREATE VIEW public.seven AS SELECT * FROM shop.top_n(7, 20);
	PREPARE door AS SELECT * FROM public.seven; EXECUTE door});
is($door, $before, 'the door agrees with the function');
$node->safe_psql('branch', 'ALTER SCHEMA shop RENAME TO store');
is($session->query_safe(q{SELECT * FROM reco_top_n(7, 20)}), $before, 'renamed: the open session finds the only model');
is($session->query_safe(q{EXECUTE door}), $before, 'renamed: its prepared statement over a view over the door still answers');
is($session->query_safe(q{SELECT * FROM reco_top_n(7, 20, 'store')}), $before, 'renamed: reco_top_n by the new name');
is($session->query_safe(q{SELECT * FROM store.top_n(7, 20)}), $before, 'renamed: the door');
$session->quit;
my $renamed = {};
for my $question (grep { $_ =~ $shop_only } keys %questions)
{
	(my $sql = $questions{$question}) =~ s/\bshop\b/store/g;
	$renamed->{$question} = $node->safe_psql('branch', $sql);
}
same_answers($renamed, $expected, 'renamed');
fails_like('branch', q{SELECT * FROM reco_top_n(7, 10, 'shop')}, '42704', 'model "shop" does not exist.*"store"', 'the old name');
is($node->safe_psql('branch', q{SELECT rows_written FROM reco_refresh('store')}), 0, 'renamed: refreshed');
$node->safe_psql('branch', q{SELECT reco_configure('store', min_match => 60)});
is($node->safe_psql('branch', q{SELECT min_match FROM store.model}), 60, 'renamed: configured');
same_answers(
	{ 'dump of the renamed' => scalar(dump_of("$folder/store.sql", '-n', 'store', 'branch') =~ /CREATE SCHEMA store;/) },
	{ 'dump of the renamed' => 1 }, 'renamed');

# How many rows of the catalogs something has: what a model brings and must take with it.
my $census = q{
	SELECT (SELECT count(*) FROM pg_class WHERE relpersistence = 'p'), (SELECT count(*) FROM pg_proc), (SELECT count(*) FROM pg_type),
		(SELECT count(*) FROM pg_namespace), (SELECT count(*) FROM pg_description), (SELECT count(*) FROM pg_depend),
		(SELECT count(*) FROM pg_init_privs), (SELECT count(*) FROM pg_rewrite)};
$node->safe_psql('postgres', 'CREATE DATABASE empty');
$node->safe_psql('empty', 'CREATE EXTENSION reco');
restore("$folder/tables.sql", 'empty');
my $bare = $node->safe_psql('empty', $census);
my $create = q{
	SELECT reco_create_model('shop', 'SELECT customer_id AS user_id, product_id AS item_id FROM public.orders',
		'SELECT id AS item_id FROM public.products', 'SELECT DISTINCT customer_id AS user_id FROM public.orders');
	SELECT reco_refresh('shop');};
$node->safe_psql('empty', $create);
isnt($node->safe_psql('empty', $census), $bare, 'a model shows in the catalogs');
$node->safe_psql('empty', 'SET client_min_messages = error; DROP SCHEMA shop CASCADE');
is($node->safe_psql('empty', $census), $bare, 'DROP SCHEMA CASCADE leaves nothing');
is($node->safe_psql('empty', 'SELECT count(*) FROM reco_models()'), 0, 'and no model');

# reco_drop_model takes what reco made, and refuses while anything else is in the way.
my %foreign = (
	'a table in the schema' => [ 'CREATE TABLE shop.mine (x int)', 'DROP TABLE shop.mine' ],
	'a function in the schema' =>
	  [ 'CREATE FUNCTION shop.mine() RETURNS int LANGUAGE sql RETURN 1', 'DROP FUNCTION shop.mine' ],
	'a type in the schema' => [ 'CREATE DOMAIN shop.mine AS int', 'DROP DOMAIN shop.mine' ],
	'a view over shop.similar' => [ 'CREATE VIEW public.mine AS SELECT * FROM shop.similar', 'DROP VIEW public.mine' ],
	'a view over shop.items' => [ 'CREATE VIEW public.mine AS SELECT * FROM shop.items', 'DROP VIEW public.mine' ],
	'a materialized view over the door' =>
	  [ 'CREATE MATERIALIZED VIEW public.mine AS SELECT * FROM shop.top_n(1)', 'DROP MATERIALIZED VIEW public.mine' ],
	'a function over the door' => [
		'CREATE FUNCTION public.mine() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM shop.popular(3); END',
		'DROP FUNCTION public.mine' ],
	'a foreign key to learned_item' => [
		'CREATE TABLE public.mine (x int REFERENCES shop.learned_item)', 'DROP TABLE public.mine' ],);
$node->safe_psql('empty', $create);
my $owned = $node->safe_psql('empty', $census);
for my $what (sort keys %foreign)
{
	my ($make, $unmake) = @{ $foreign{$what} };
	$node->safe_psql('empty', $make);
	my $with = $node->safe_psql('empty', $census);
	fails_like('empty', q{SELECT reco_drop_model('shop')}, '2BP01', 'cannot drop .* because other objects depend on', "drop with $what");
	is($node->safe_psql('empty', $census), $with, "drop with $what: everything is still there");
	$node->safe_psql('empty', $unmake);
}
is($node->safe_psql('empty', $census), $owned, 'all of it is gone again');
is($node->safe_psql('empty', 'SELECT count(*) FROM shop.top_n(1)'), 10, 'and the model still answers');
$node->safe_psql('empty', q{BEGIN; SELECT reco_drop_model('shop'); ROLLBACK});
is($node->safe_psql('empty', 'SELECT count(*) FROM shop.top_n(1)'), 10, 'also after a drop that was rolled back');
$node->safe_psql('empty', q{SELECT reco_drop_model('shop')});
is($node->safe_psql('empty', $census), $bare, 'then reco_drop_model leaves nothing');
fails_like('empty', q{SELECT reco_drop_model('shop')}, '42704', 'model "shop" does not exist', 'a second drop');
$node->safe_psql('empty', 'CREATE SCHEMA other; CREATE TABLE other.model (x int)');
fails_like('empty', q{SELECT reco_drop_model('other')}, '42704', 'model "other" does not exist', 'a schema that is no model');
is($node->safe_psql('empty', q{SELECT count(*) FROM other.model}), 0, 'is left alone');

# DROP EXTENSION refuses while there are models, and CASCADE is said out loud.
$node->safe_psql('empty', 'DROP SCHEMA other CASCADE');
$node->safe_psql('empty', $create);
fails_like('empty', 'DROP EXTENSION reco', '2BP01', 'cannot drop extension reco', 'DROP EXTENSION under a model');

$node->stop;
done_testing();
