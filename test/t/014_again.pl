# Refreshes again and again: each writes what changed and says how much that was, and the tables stay about as large as
# the first refresh made them.

use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use Faults qw(log_holds_no_fault);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', slurp_file($ENV{RECO_SERVER_CONF}))
  if -s ($ENV{RECO_SERVER_CONF} // '');
$node->append_conf('postgresql.conf', "autovacuum = on\nautovacuum_naptime = 1s");
$node->start;

# 50,000 events of 1,500 users with 800 items, then a hundredth as many every day.
$node->safe_psql('postgres', q{
	CREATE EXTENSION reco;
	CREATE FUNCTION draw(a bigint, b bigint) RETURNS float8 LANGUAGE sql IMMUTABLE AS 'SELECT (hashint8extended(a, b) & 1048575) / 1048576.0';
	CREATE TABLE visits AS
		SELECT u, floor(800 * power(draw(n, u), 2))::int AS i, timestamptz '2026-01-01' + draw(u, n) * interval '300 days' AS t
		FROM generate_series(1, 1500) u, LATERAL generate_series(1, 4 + (hashint4(u::int) & 63)) n;
	CREATE PROCEDURE pass_day(day int) LANGUAGE sql AS $$
		INSERT INTO visits SELECT 1 + floor(1500 * draw(g, day)), floor(800 * power(draw(day, g), 2))::int, timestamptz '2026-11-01' + day * interval '1 day'
		FROM generate_series(1, 500) g $$;
	VACUUM ANALYZE visits});
my $events = $node->safe_psql('postgres', 'SELECT count(*) FROM visits');
cmp_ok($events, '>', 45000, "there are $events events");

my %models = (neighbors => q{similarity => 'cooccurrence'}, factors => q{algorithm => 'factors', factors => 16, iterations => 2});
for my $model (sort keys %models)
{
	$node->safe_psql('postgres', qq{SELECT reco_create_model('$model', 'SELECT u AS user_id, i AS item_id, t AS occurred_at FROM public.visits');
		SELECT reco_configure('$model', $models{$model})});
}

sub refresh { return $node->safe_psql('postgres', "SELECT rows_written FROM reco_refresh('$_[0]')") + 0; }

# What all tables of a model take, with their indexes.
sub bytes
{
	return $node->safe_psql('postgres', qq{SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c
		WHERE relnamespace = '$_[0]'::regnamespace AND relkind = 'r'}) + 0;
}

# The rows of a table that are not what they were, or not there any more, or new.
sub changed
{
	my ($model, $table) = @_;
	return $node->safe_psql('postgres', qq{SELECT count(*) FROM $model.$table n FULL JOIN public.${model}_$table o USING (item_id)
		WHERE n.* IS NULL OR o.* IS NULL OR n.*::text <> o.*::text}) + 0;
}

sub remember
{
	my ($model, $table) = @_;
	$node->safe_psql('postgres', "DROP TABLE IF EXISTS public.${model}_$table; CREATE TABLE public.${model}_$table AS TABLE $model.$table");
}

my %first;
for my $model (sort keys %models)
{
	my $items = $node->safe_psql('postgres', 'SELECT count(DISTINCT i) FROM visits');
	cmp_ok(refresh($model), '>=', $items, "$model: the first refresh writes every item");
	$first{$model} = bytes($model);
	is(refresh($model), 0, "$model: a refresh without new events writes nothing");
}

for my $day (1 .. 10)
{
	$node->safe_psql('postgres', "CALL pass_day($day)");
	for my $model (sort keys %models)
	{
		my @tables = ('learned_item', $model eq 'factors' ? 'item_factor' : ());
		remember($model, $_) for @tables;
		my $written = refresh($model);
		my $changed = 0;
		$changed += changed($model, $_) for @tables;
		cmp_ok($changed, '>', 0, "$model, day $day: something changed");
		is($written, $changed, "$model, day $day: it wrote what changed, and says so");
	}
}
for my $model (sort keys %models)
{
	my $now = bytes($model);
	cmp_ok($now, '<', 2 * $first{$model}, "$model: after ten refreshes in a row, each with a hundredth of new events, $now bytes, first $first{$model}");
}

# One event of one user: what it has nothing to do with stays.
{
	$node->safe_psql('postgres', q{INSERT INTO visits SELECT 1500, max(i), '2026-11-12' FROM visits});
	remember('neighbors', 'learned_item');
	my $items = $node->safe_psql('postgres', 'SELECT count(*) FROM neighbors.learned_item');
	my $written = refresh('neighbors');
	is($written, changed('neighbors', 'learned_item'), 'one event: it wrote what changed');
	cmp_ok($written, '<', $items, "one event: $written of $items rows");
}

$node->stop;
log_holds_no_fault($node, 'the log holds no fault');
done_testing();
