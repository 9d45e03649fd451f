# A streaming replica gives the answers of its primary, and writes nothing.

use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use Faults qw(session kill_postmaster leftovers log_holds_no_fault);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->append_conf('postgresql.conf', slurp_file($ENV{RECO_SERVER_CONF}))
  if -s ($ENV{RECO_SERVER_CONF} // '');
$primary->append_conf('postgresql.conf', "timezone = 'UTC'\nshared_buffers = 16MB");
$primary->start;
$primary->safe_psql('postgres', q{
	CREATE EXTENSION reco;
	CREATE TABLE products (id text PRIMARY KEY, in_stock boolean NOT NULL);
	CREATE TABLE orders (customer_id int, product_id text, ordered_at timestamptz, weight float8);
	INSERT INTO products SELECT 'p' || p, p % 13 <> 0 FROM generate_series(0, 62) p;
	INSERT INTO orders
		SELECT c, 'p' || (c % 6) + 6 * ((c * 7 + n * n) % 10), timestamptz '2024-01-01' + n * interval '9 days' + c * interval '1 hour',
			CASE WHEN (c + n) % 17 = 0 THEN -1 ELSE 1 END
		FROM generate_series(1, 300) c, generate_series(1, 8) n
		UNION ALL
		SELECT c, 'p' || 50 + c % 3, timestamptz '2024-05-01', 1 FROM generate_series(100, 200) c;
	SELECT reco_create_model('shop', 'SELECT customer_id AS user_id, product_id AS item_id, ordered_at AS occurred_at, weight FROM public.orders',
		'SELECT id AS item_id FROM public.products WHERE in_stock');
	SELECT reco_refresh('shop');
});

# One replica from a physical backup of a model that is there already; what comes after streams.
$primary->backup('backup');
my $replica = PostgreSQL::Test::Cluster->new('replica');
$replica->init_from_backup($primary, 'backup', has_streaming => 1);
$replica->start;

my %questions = (
	top_n => q{SELECT c, t.* FROM generate_series(1, 305) c CROSS JOIN LATERAL shop.top_n(c, 10) WITH ORDINALITY t},
	similar_items => q{SELECT p.id, s.* FROM products p CROSS JOIN LATERAL reco_similar_items(p.id, 10, 'shop') WITH ORDINALITY s ORDER BY p.id, ordinality},
	match => q{SELECT c, p.id, shop.match(c, p.id), shop.score(c, p.id) FROM generate_series(1, 20) c, products p ORDER BY c, p.id},
	complete => q{SELECT * FROM reco_complete('{p1,p7,p13}'::text[], 20, 'shop')},
	why => q{SELECT p.id, w.* FROM products p CROSS JOIN LATERAL shop.why(5, p.id) WITH ORDINALITY w ORDER BY p.id, ordinality},
	popular => q{SELECT * FROM reco_popular(20, 'shop')},
	trending => q{SELECT * FROM reco_trending(20, 'shop')},
	'the view similar' => q{SELECT * FROM shop.similar ORDER BY item_id, rank},
	'the view popular' => q{SELECT * FROM shop.popular ORDER BY item_id},
	models => q{SELECT model, owner, user_type, item_type, refreshed_at, events, users, items, neighbor_pairs FROM reco_models()},);

# Both servers answer alike; returns the answers.
sub alike
{
	my ($name) = @_;
	my %answers;
	$primary->wait_for_catchup($replica);
	for my $question (sort keys %questions)
	{
		$answers{$question} = $primary->safe_psql('postgres', $questions{$question});
		is($replica->safe_psql('postgres', $questions{$question}), $answers{$question}, "$name: $question");
	}
	return \%answers;
}

is($replica->safe_psql('postgres', 'SELECT pg_is_in_recovery()'), 't', 'the replica is one');
my $first = alike('from a backup');
cmp_ok(length($first->{$_}), '>', 30, "there is something to compare: $_") for sort keys %questions;
my ($matched) = scalar(grep { /\|\d[\d.]*\|/ } split /\n/, $first->{match});
cmp_ok($matched, '>', 20, 'with matches');

# Events that have not been learned count on both.
$primary->safe_psql('postgres', q{
	INSERT INTO orders SELECT c, 'p' || (c * 5) % 60, '2024-05-10', 1 FROM generate_series(1, 305) c;
	UPDATE products SET in_stock = NOT in_stock WHERE id IN ('p13', 'p20')});
my $second = alike('with new orders');
isnt($second->{top_n}, $first->{top_n}, 'with new orders: other lists');
is($second->{'the view similar'}, $first->{'the view similar'}, 'with new orders: the same model');

# A refresh that is open is seen by nobody, and one that is rolled back never was.
my $session = $primary->background_psql('postgres');
$session->query_safe(q{BEGIN; SELECT reco_refresh('shop')});
my $open = alike('refresh open');
is_deeply($open, $second, 'refresh open: the old model');
$session->query_safe('ROLLBACK');
is_deeply(alike('refresh rolled back'), $second, 'refresh rolled back: the old model');
$session->quit;

# A reader on the replica keeps its version while the next arrives.
my $reader = $replica->background_psql('postgres');
$reader->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ');
my $held = $reader->query_safe($questions{top_n});
$primary->safe_psql('postgres', q{SELECT reco_refresh('shop')});
my $third = alike('refreshed');
isnt($third->{'the view similar'}, $second->{'the view similar'}, 'refreshed: other neighbours');
isnt($third->{$_}, $second->{$_}, "refreshed: other answers to $_") for ('top_n', 'similar_items', 'popular');
is($reader->query_safe($questions{top_n}), $held, 'a REPEATABLE READ reader on the replica keeps its version');
$reader->query_safe('COMMIT');
is($reader->query_safe($questions{top_n}), $third->{top_n}, 'and then has the new one');
$reader->quit;

# Settings and another model travel as well.
$primary->safe_psql('postgres', q{
	SELECT reco_configure('shop', min_match => 80);
	SELECT reco_create_model('plain', 'SELECT customer_id AS user_id, product_id AS item_id FROM public.orders');
	SELECT reco_refresh('plain')});
my $fourth = alike('configured');
isnt($fourth->{match}, $third->{match}, 'configured: fewer matches');
is( $replica->safe_psql('postgres', 'SELECT * FROM plain.top_n(3, 20)'),
	$primary->safe_psql('postgres', 'SELECT * FROM plain.top_n(3, 20)'), 'a new model is there');

# Nothing can be written, and it is said in words.
for my $write (
	q{SELECT * FROM reco_refresh('shop')}, q{SELECT reco_configure('shop', min_match => 55)}, q{SELECT reco_drop_model('plain')},
	q{SELECT reco_create_model('more', 'SELECT customer_id AS user_id, product_id AS item_id FROM public.orders')})
{
	my ($status, $out, $err) = $replica->psql('postgres', $write, extra_params => [ '-v', 'VERBOSITY=verbose' ]);
	like($err, qr/ERROR:  25006: cannot execute .* in a read-only transaction/, "read-only: $write");
}

# Killed while it replays a refresh, it comes back and follows; so it does after a crash of the primary in the middle of one.
{
	my ($open) = session($primary);
	$open->query_safe(q{BEGIN; INSERT INTO orders SELECT c, 'p' || (c * 17) % 60, '2024-05-12', 1 FROM generate_series(1, 300) c; SELECT reco_refresh('shop')});
	$primary->wait_for_catchup($replica, 'write');
	ok(kill_postmaster($replica), 'the replica is killed while a refresh is open');
	$replica->start;
	is_deeply(alike('replica killed'), $fourth, 'replica killed: the model of before');
	ok(kill_postmaster($primary), 'the primary is killed while a refresh is open');
	eval { $open->quit };
	$primary->start;
	$primary->safe_psql('postgres', 'SELECT pg_switch_wal()');
	is_deeply(alike('primary killed'), $fourth, 'primary killed: the model of before');
	is(leftovers($_), '', 'primary killed: nothing of the refresh lies about on the ' . $_->name) for ($primary, $replica);
}

# The primary dies in the middle of a refresh, and the replica takes over: a server of its own, with the model of before.
my ($last) = session($primary);
$last->query_safe(q{BEGIN; INSERT INTO orders SELECT c, 'p' || (c * 19) % 60, '2024-05-13', 1 FROM generate_series(1, 300) c; SELECT reco_refresh('shop')});
$primary->wait_for_catchup($replica, 'write');
$primary->stop('immediate');
eval { $last->quit };
$replica->promote;
is($replica->safe_psql('postgres', $questions{$_}), $fourth->{$_}, "promoted: $_") for sort keys %questions;
is(leftovers($replica), '', 'promoted: nothing lies about');
$replica->safe_psql('postgres', q{INSERT INTO orders SELECT c, 'p' || (c * 11) % 60, '2024-05-11', 1 FROM generate_series(1, 300) c});
is($replica->safe_psql('postgres', q{SELECT users FROM reco_refresh('shop')}), 305, 'promoted: refreshes');
isnt($replica->safe_psql('postgres', $questions{top_n}), $fourth->{top_n}, 'promoted: learns');

log_holds_no_fault($_, 'the log of ' . $_->name . ' holds no fault', but => qr/terminated by signal 9/) for ($primary, $replica);

$replica->stop;
done_testing();
