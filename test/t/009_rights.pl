# Who may do what, cell by cell: every function, door and view of a model, for every kind of role; tenants under
# row-level security on events, catalogue, people and rules; functions, operators, casts and SQL planted by others.

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

my $superuser = $node->safe_psql('postgres', 'SELECT current_user');

# Runs SQL as a role, by logging in as it; returns status, output, errors.
sub as
{
	my ($role, $sql) = @_;
	return $node->psql('shop', $sql, extra_params => [ '-U', $role, '-v', 'VERBOSITY=verbose' ]);
}

sub works
{
	my ($role, $sql, $expected, $name) = @_;
	my ($status, $out, $err) = as($role, $sql);
	is($err, '', "$role: $name: no error");
	is($out, $expected, "$role: $name");
}

sub refused
{
	my ($role, $sql, $state, $message, $name) = @_;
	my ($status, $out, $err) = as($role, $sql);
	like($err, qr/ERROR:  $state: \Q$message\E/, "$role: $name");
}


# A shop of two tenants: items n-01 ... and s-01 ..., customers of one each, and twenty of both, whose choices tie items of
# one tenant to those of the other.  Each tenant may see its own rows of every table; clerk and others may see all.

$node->safe_psql('postgres', q{
	CREATE ROLE landlord LOGIN;
	CREATE ROLE merchant LOGIN;
	CREATE ROLE manager LOGIN IN ROLE merchant;
	CREATE ROLE clerk LOGIN;
	CREATE ROLE auditor LOGIN;
	CREATE ROLE picker LOGIN;
	CREATE ROLE stranger LOGIN;
	CREATE ROLE north LOGIN;
	CREATE ROLE south LOGIN;
	CREATE DATABASE shop OWNER landlord;
});
works('landlord', 'CREATE EXTENSION reco; GRANT CREATE ON DATABASE shop TO merchant', '', 'installs');
works('merchant', q{
	CREATE SCHEMA sales;
	GRANT USAGE ON SCHEMA sales TO PUBLIC;
	CREATE TYPE sales.device AS ENUM ('desk', 'phone');
	CREATE TABLE sales.orders (customer_id text, product_id text, ordered_at timestamptz, kind text, device sales.device, tenant name);
	CREATE TABLE sales.products (id text PRIMARY KEY, category text, place int, tags text[], released_at date, tenant name);
	CREATE TABLE sales.customers (id text PRIMARY KEY, segment text, yes boolean, tenant name);
	CREATE TABLE sales.wishes (product_id text, boost float8, place int, tenant name);
	INSERT INTO sales.products
		SELECT format('%s-%s', left(t, 1), to_char(p, 'FM00')), 'category ' || left(t, 1) || p % 4, p, ARRAY['tag ' || p % 5, 'all'], date '2024-01-01' + p, t
		FROM unnest('{north,south}'::text[]) t, generate_series(1, 44) p;
	INSERT INTO sales.customers
		SELECT format('%su-%s', left(t, 1), c), 'segment ' || left(t, 1) || c % 2, true, t FROM unnest('{north,south}'::text[]) t, generate_series(1, 64) c;
	INSERT INTO sales.orders
		SELECT DISTINCT ON (customer, product) customer, product, timestamptz '2024-01-01' + n * interval '5 days' + c * interval '1 hour', kind,
			CASE WHEN p % 2 = 0 AND n % 4 > 0 THEN 'phone' ELSE 'desk' END::sales.device, t
		FROM (SELECT t, c, n, p, format('%su-%s', left(t, 1), c) AS customer, format('%s-%s', left(t, 1), to_char(p, 'FM00')) AS product, CASE (c + n) % 5 WHEN 0 THEN 'view' ELSE 'buy' END AS kind
			FROM unnest('{north,south}'::text[]) t, generate_series(1, 60) c, generate_series(1, 12) n, LATERAL (SELECT 1 + (c % 4) + 4 * ((c * 7 + n * n * 3) % 10) AS p) q
			UNION ALL
			SELECT t, c, n, p, 'xu-' || c, format('%s-%s', left(t, 1), to_char(p, 'FM00')), 'buy'
			FROM unnest('{north,south}'::text[]) t, generate_series(1, 20) c, generate_series(1, 8) n, LATERAL (SELECT 1 + (c % 4) + 4 * ((c * 3 + n * n) % 10) AS p) q) o
		ORDER BY customer, product, n;
	INSERT INTO sales.orders
		SELECT format('%su-%s', left(t, 1), c), left(t, 1) || '-41', timestamptz '2024-03-10' + c * interval '1 hour', 'buy', 'phone', t FROM unnest('{north,south}'::text[]) t, generate_series(1, 60) c;
	INSERT INTO sales.wishes VALUES ('s-05', NULL, 1, 'south'), ('n-06', NULL, 2, 'north'), ('n-07', 3, NULL, 'north'), ('s-07', 3, NULL, 'south');
	SELECT reco_create_model('shop',
		'SELECT customer_id AS user_id, product_id AS item_id, ordered_at AS occurred_at, kind AS signal, device FROM sales.orders',
		'SELECT id AS item_id, category, place, tags, released_at FROM sales.products',
		'SELECT id AS user_id, segment, yes AS consent FROM sales.customers UNION ALL SELECT ''xu-'' || n, NULL, true FROM generate_series(1, 20) n',
		'SELECT product_id AS item_id, boost, place AS pin FROM sales.wishes');
	SELECT reco_configure('shop', contexts => '{occurred_at, device}', exclude_seen => '{"buy": "forever", "view": "never"}', similarity => 'cosine', unfinished => '{"series": "category", "order": "place"}');
	SELECT reco_create_model('deep', 'SELECT customer_id AS user_id, product_id AS item_id, ordered_at AS occurred_at FROM sales.orders',
		'SELECT id AS item_id, category FROM sales.products');
	SELECT reco_configure('deep', algorithm => 'factors', factors => 4, iterations => 4);
	SELECT reco_create_log('shop');
	GRANT INSERT ON shop.served TO clerk, north, south;
	GRANT USAGE ON SEQUENCE shop.served_list TO clerk, north, south;
	SELECT skipped_no_consent, users FROM reco_refresh('shop');
	SELECT users FROM reco_refresh('deep');
	SELECT users FROM reco_learn_habits('shop');
	CREATE FUNCTION sales.open_to(t name) RETURNS boolean LANGUAGE sql STABLE RETURN t = current_user OR current_user NOT IN ('north', 'south');
	ALTER TABLE sales.orders ENABLE ROW LEVEL SECURITY;
	ALTER TABLE sales.products ENABLE ROW LEVEL SECURITY;
	ALTER TABLE sales.customers ENABLE ROW LEVEL SECURITY;
	ALTER TABLE sales.wishes ENABLE ROW LEVEL SECURITY;
	CREATE POLICY own ON sales.orders USING (sales.open_to(tenant));
	CREATE POLICY own ON sales.products USING (sales.open_to(tenant));
	CREATE POLICY own ON sales.customers USING (sales.open_to(tenant));
	CREATE POLICY own ON sales.wishes USING (sales.open_to(tenant));
	GRANT USAGE ON SCHEMA shop, deep TO clerk, auditor, picker, north, south;
	GRANT SELECT ON ALL TABLES IN SCHEMA sales TO clerk, north, south;
	GRANT SELECT ON sales.products TO picker;
}, "\n\n\n\n\n0|140\n140\n140", 'makes a shop and two models');


# Runs the ways of asking as one role in one session, each in a transaction of its own that is rolled back; returns
# what each put out and what error it raised.
sub ask_all
{
	my ($role, $tenant, @asked) = @_;
	my $script = '';
	for my $n (0 .. $#asked)
	{
		(my $sql = $asked[$n]) =~ s/\{t\}/$tenant/g;
		$script .= "\\echo == $n\n\\warn == $n\nBEGIN;\n$sql;\nROLLBACK;\n";
	}
	my ($out, $err) = ('', '');
	$node->psql('shop', $script, stdout => \$out, stderr => \$err, on_error_stop => 0, timeout => 600,
		extra_params => [ '-U', $role, '-v', 'VERBOSITY=verbose' ]);
	my %out = map { /\A(\d+)\n?(.*)\z/s ? ($1, $2) : () } split /^== /m, $out;
	my %err = map { /\A(\d+)\n?(.*)\z/s ? ($1, $2) : () } split /^== /m, $err;
	return map { my $o = $out{$_} // ''; $o =~ s/\n+\z//; [ $o, $err{$_} // 'no answer' ] } 0 .. $#asked;
}

# What came back, as a word of the table below.
sub cell
{
	my ($got, $all, $tenant) = @_;
	my ($out, $err) = @$got;
	my $foreign = $tenant eq 'n' ? 's' : 'n';
	return $1 if $err =~ /ERROR:  42501: permission denied for \w+ (\w+)/;
	return 'owner' if $err =~ /ERROR:  42501: must be owner of/;
	return $1 if $err =~ /ERROR:  (\w+): /;
	return 'none' if $out eq '';
	return 'all' if $out eq $all->[0];
	return $out =~ /\b${foreign}u?-\d/ ? 'FOREIGN' : 'own';
}


# The table: a way to ask, what each role gets, and the SQL.  all is what a superuser gets to the last byte; own some rows
# that name nothing of the other tenant; none no rows, without an error.  Anything else is who says no: the table, view or
# schema that the role has no right to, or owner, who alone may do it.  {t} is the tenant's letter, n for all but south.
#
#   merchant   owns the models and the tables       manager   a member of merchant
#   clerk      may use the models and read all      auditor   may use the models and read no source
#   picker     the same, but reads the catalogue    north, south   read all sources, under row-level security
#   (superuser)                                     stranger  has no right at all

my @roles = ('merchant', 'manager', 'clerk', 'auditor', 'picker', 'north', 'south', $superuser, 'stranger');
my $table = <<'TABLE';
create_model           none      none      shop      shop      shop      shop      shop      none      shop
    SELECT reco_create_model('mine', 'SELECT customer_id AS user_id, product_id AS item_id FROM sales.orders')
configure              none      none      owner     owner     owner     owner     owner     none      shop
    SELECT reco_configure('shop', min_match => 60)
drop_model             none      none      owner     owner     owner     owner     owner     none      owner
    SELECT reco_drop_model('deep')
models                 all       all       all       all       all       all       all       all       none
    SELECT model, owner FROM reco_models() ORDER BY 1
refresh                all       all       owner     owner     owner     owner     owner     all       deep
    SELECT events > 0 FROM reco_refresh('deep')
estimate               all       all       owner     owner     owner     owner     owner     all       shop
    SELECT events > 0 FROM reco_estimate('shop')
check                  all       all       all       orders    orders    all       all       all       shop
    SELECT count(*) >= 0 FROM reco_check('shop')
evaluate               all       all       all       orders    orders    all       all       all       shop
    SELECT algorithm, metric FROM reco_evaluate('shop')
evaluate as served     all       all       all       orders    orders    all       all       all       shop
    SELECT algorithm, metric FROM reco_evaluate('shop', as_served => true)
tune                   all       all       owner     owner     owner     owner     owner     all       shop
    SELECT count(*) > 0 FROM reco_tune('shop', '10 ms')
learn_ranking          all       all       owner     owner     owner     owner     owner     all       shop
    SELECT metric, kept FROM reco_learn_ranking('shop', split => 'leave_last_out')
create_log             none      none      owner     owner     owner     owner     owner     none      deep
    SELECT reco_create_log('deep')
attribute              none      none      served    orders    orders    served    served    none      shop
    SELECT * FROM reco_attribute('shop')
forget                 all       all       owner     owner     owner     owner     owner     all       deep
    SELECT rows_written > 0 FROM reco_forget('nobody'::text, 'deep')
traces                 all       all       owner     owner     owner     owner     owner     all       shop
    SELECT place, traces FROM reco_traces('{t}u-1'::text, 'shop')
disclose               all       all       owner     owner     owner     owner     owner     all       shop
    SELECT * FROM reco_disclose('{t}u-1'::text, 'shop')
top_n                  all       all       all       orders    orders    own       own       all       shop
    SELECT * FROM reco_top_n('xu-1'::text, 60, 'shop')
top_n in context       all       all       all       orders    orders    own       own       all       shop
    SELECT * FROM reco_top_n('xu-1'::text, 60, 'shop', context => '{"device": "phone"}')
top_n of a newcomer    all       all       all       orders    orders    own       own       all       shop
    SELECT * FROM reco_top_n('{t}u-64'::text, 60, 'shop')
top_n of a guest       all       all       all       wishes    wishes    own       own       all       shop
    SELECT * FROM reco_top_n(NULL::text, 60, 'shop')
top_n, diverse         all       all       all       orders    orders    own       own       all       shop
    SELECT * FROM reco_top_n('xu-1'::text, 60, 'shop', diversity => 0.3, max_per => 'category', max_per_n => 30)
top_n by factors       all       all       all       orders    orders    own       own       all       deep
    SELECT * FROM reco_top_n('xu-1'::text, 60, 'deep')
explore                all       all       all       orders    orders    own       own       all       shop
    SELECT * FROM reco_explore('xu-1'::text, 20, 'shop', 0.5)
top_n_all              all       all       all       products  orders    own       own       all       shop
    SELECT * FROM reco_top_n_all(20, 'shop')
complete               all       all       all       wishes    wishes    own       own       all       shop
    SELECT * FROM reco_complete('{{t}-01,{t}-05}'::text[], 60, 'shop')
score                  all       all       all       orders    orders    own       own       all       shop
    SELECT reco_score('xu-1'::text, '{t}-02'::text, 'shop')
match                  all       all       all       orders    orders    own       own       all       shop
    SELECT reco_match('xu-1'::text, '{t}-02'::text, 'shop')
rank                   all       all       all       orders    orders    own       own       all       shop
    SELECT * FROM reco_rank('xu-1'::text, '{{t}-02,{t}-03}'::text[], 'shop')
why                    all       all       all       orders    orders    own       own       all       shop
    SELECT * FROM reco_why('xu-1'::text, '{t}-02'::text, 'shop')
why_not                all       all       all       products  orders    own       own       all       shop
    SELECT * FROM reco_why_not('xu-1'::text, '{t}-03'::text, 'shop')
audience               all       all       all       orders    orders    own       own       all       shop
    SELECT * FROM reco_audience('{t}-03'::text, 50, 'shop')
similar_users          all       all       all       orders    orders    own       own       all       shop
    SELECT * FROM reco_similar_users('xu-1'::text, 50, 'shop')
similar_items          all       all       all       products  all       own       own       all       shop
    SELECT * FROM reco_similar_items('{t}-01'::text, 50, 'shop')
user_factor            all       all       all       orders    orders    own       own       all       deep
    SELECT reco_user_factor('xu-1'::text, 'deep')
user_factors           all       all       all       products  orders    own       own       all       deep
    SELECT user_id FROM reco_user_factors('deep') ORDER BY 1
popular                all       all       all       products  all       own       own       all       shop
    SELECT * FROM reco_popular(60, 'shop')
trending               all       all       all       products  all       own       own       all       shop
    SELECT * FROM reco_trending(60, 'shop')
onboarding             all       all       all       products  all       own       own       all       shop
    SELECT * FROM reco_onboarding(30, 'shop')
continue               all       all       all       products  orders    own       own       all       shop
    SELECT item_id FROM reco_continue('xu-1'::text, 60, 'shop')
hooks                  all       all       all       products  orders    own       own       all       shop
    SELECT series, item_id FROM reco_hooks('shop', 0.01, 1)
win_back               all       all       all       orders    orders    own       own       all       shop
    SELECT user_id, items FROM reco_win_back(20, 'shop', max_chance => 1, as_of => '2024-09-01')
learn_habits           all       all       owner     owner     owner     owner     owner     all       shop
    SELECT users FROM reco_learn_habits('shop')
next_purchases         all       all       all       orders    orders    own       own       all       shop
    SELECT item_id, source FROM reco_next_purchases('xu-1'::text, 60, 'shop', as_of => '2024-09-01')
best_time              all       all       all       orders    orders    all       all       all       shop
    SELECT count(*) FROM reco_best_time('xu-1'::text, 'shop', as_of => '2024-09-01')
shop.next_purchases    all       all       all       orders    orders    own       own       all       shop
    SELECT item_id, source FROM shop.next_purchases('xu-1', 60, as_of => '2024-09-01')
shop.best_time         all       all       all       orders    orders    all       all       all       shop
    SELECT count(*) FROM shop.best_time('xu-1', as_of => '2024-09-01')
wrapped                all       all       all       orders    orders    own       own       all       shop
    SELECT part, item_id FROM reco_wrapped('xu-1'::text, '2024-01-01', '2025-01-01', 'shop')
wrapped_all            all       all       all       orders    orders    own       own       all       shop
    SELECT user_id, part, item_id FROM reco_wrapped_all('2024-01-01', '2025-01-01', 'shop')
wrapped_json           all       all       all       orders    orders    own       own       all       shop
    SELECT reco_wrapped_json('xu-1'::text, '2024-01-01', '2025-01-01', 'shop')
wrapped_json_all       all       all       all       orders    orders    own       own       all       shop
    SELECT * FROM reco_wrapped_json_all('2024-01-01', '2025-01-01', 'shop')
shop.top_n             all       all       all       orders    orders    own       own       all       shop
    SELECT * FROM shop.top_n('xu-1', 60)
shop.serve             all       all       all       served    served    own       own       all       shop
    SELECT item_id FROM shop.serve('xu-1', 5)
shop.attribute         all       all       served    orders    orders    served    served    all       shop
    SELECT count(*) FROM shop.attribute()
shop.explore           all       all       all       orders    orders    own       own       all       shop
    SELECT * FROM shop.explore('xu-1', 20, 0.5)
shop.top_n_all         all       all       all       products  orders    own       own       all       shop
    SELECT * FROM shop.top_n_all(20)
shop.complete          all       all       all       wishes    wishes    own       own       all       shop
    SELECT * FROM shop.complete('{{t}-01,{t}-05}', 60)
shop.score             all       all       all       orders    orders    own       own       all       shop
    SELECT shop.score('xu-1', '{t}-02')
shop.match             all       all       all       orders    orders    own       own       all       shop
    SELECT shop.match('xu-1', '{t}-02')
shop.rank              all       all       all       orders    orders    own       own       all       shop
    SELECT * FROM shop.rank('xu-1', '{{t}-02,{t}-03}')
shop.why               all       all       all       orders    orders    own       own       all       shop
    SELECT * FROM shop.why('xu-1', '{t}-02')
shop.why_not           all       all       all       products  orders    own       own       all       shop
    SELECT * FROM shop.why_not('xu-1', '{t}-03')
shop.audience          all       all       all       orders    orders    own       own       all       shop
    SELECT * FROM shop.audience('{t}-03', 50)
shop.similar_users     all       all       all       orders    orders    own       own       all       shop
    SELECT * FROM shop.similar_users('xu-1', 50)
shop.similar_items     all       all       all       products  all       own       own       all       shop
    SELECT * FROM shop.similar_items('{t}-01', 50)
deep.user_factor       all       all       all       orders    orders    own       own       all       deep
    SELECT deep.user_factor('xu-1')
deep.user_factors      all       all       all       products  orders    own       own       all       deep
    SELECT user_id FROM deep.user_factors() ORDER BY 1
shop.popular           all       all       all       products  all       own       own       all       shop
    SELECT * FROM shop.popular(60)
shop.trending          all       all       all       products  all       own       own       all       shop
    SELECT * FROM shop.trending(60)
shop.onboarding        all       all       all       products  all       own       own       all       shop
    SELECT * FROM shop.onboarding(30)
shop.continue          all       all       all       products  orders    own       own       all       shop
    SELECT item_id FROM shop.continue('xu-1')
shop.hooks             all       all       all       products  orders    own       own       all       shop
    SELECT series, item_id FROM shop.hooks(0.01, 1)
shop.win_back          all       all       all       orders    orders    own       own       all       shop
    SELECT user_id, items FROM shop.win_back(20, max_chance => 1, as_of => '2024-09-01')
shop.wrapped           all       all       all       orders    orders    own       own       all       shop
    SELECT part, item_id FROM shop.wrapped('xu-1', '2024-01-01', '2025-01-01')
shop.wrapped_all       all       all       all       orders    orders    own       own       all       shop
    SELECT user_id, part, item_id FROM shop.wrapped_all('2024-01-01', '2025-01-01')
shop.wrapped_json      all       all       all       orders    orders    own       own       all       shop
    SELECT shop.wrapped_json('xu-1', '2024-01-01', '2025-01-01')
shop.wrapped_json_all  all       all       all       orders    orders    own       own       all       shop
    SELECT * FROM shop.wrapped_json_all('2024-01-01', '2025-01-01')
shop.forget            all       all       owner     owner     owner     owner     owner     all       shop
    SELECT rows_written > 0 FROM shop.forget('nobody')
shop.traces            all       all       owner     owner     owner     owner     owner     all       shop
    SELECT place, traces FROM shop.traces('{t}u-1')
shop.disclose          all       all       owner     owner     owner     owner     owner     all       shop
    SELECT * FROM shop.disclose('{t}u-1')
view events            all       all       all       orders    orders    own       own       all       shop
    SELECT * FROM shop.events ORDER BY 1, 2
view items             all       all       all       products  all       own       own       all       shop
    SELECT * FROM shop.items ORDER BY 1
view users             all       all       all       customers customers own       own       all       shop
    SELECT * FROM shop.users ORDER BY 1
view rules             all       all       all       wishes    wishes    own       own       all       shop
    SELECT * FROM shop.rules ORDER BY 1
view similar           all       all       all       all       all       all       all       all       shop
    SELECT * FROM shop.similar ORDER BY 1, 2
view popular           all       all       all       all       all       all       all       all       shop
    SELECT * FROM shop.popular ORDER BY 1
table model            all       all       all       all       all       all       all       all       shop
    SELECT algorithm, events FROM shop.model
table learned_item     all       all       all       all       all       all       all       all       shop
    SELECT item_id, users FROM shop.learned_item ORDER BY 1
table learned_group    all       all       all       all       all       all       all       all       shop
    SELECT attribute, value, item_id FROM shop.learned_group ORDER BY 1, 2, 3
table learned_context  all       all       all       all       all       all       all       all       shop
    SELECT context, value, item_id FROM shop.learned_context ORDER BY 1, 2, 3
table learned_resume   all       all       all       all       all       all       all       all       shop
    SELECT count(*) FROM shop.learned_resume
table learned_habit    all       all       all       all       all       all       all       all       shop
    SELECT users FROM shop.learned_habit
table learned_repeat   all       all       all       all       all       all       all       all       shop
    SELECT item_id FROM shop.learned_repeat ORDER BY 1
table learned_ranking  all       all       all       all       all       all       all       all       shop
    SELECT count(*) FROM shop.learned_ranking
table item_factor      all       all       all       all       all       all       all       all       deep
    SELECT item_id FROM deep.item_factor ORDER BY 1
table served           all       all       served    served    served    served    served    all       shop
    SELECT count(*) FROM shop.served
write model            none      none      model     model     model     model     model     none      shop
    UPDATE shop.model SET min_match = 70
write learned_item     none      none      learned_item learned_item learned_item learned_item learned_item none      shop
    DELETE FROM shop.learned_item
write learned_group    none      none      learned_group learned_group learned_group learned_group learned_group none      shop
    DELETE FROM shop.learned_group
write learned_context  none      none      learned_context learned_context learned_context learned_context learned_context none      shop
    DELETE FROM shop.learned_context
write learned_ranking  none      none      learned_ranking learned_ranking learned_ranking learned_ranking learned_ranking none      shop
    DELETE FROM shop.learned_ranking
write item_factor      none      none      item_factor item_factor item_factor item_factor item_factor none      deep
    INSERT INTO deep.item_factor VALUES ('x', 1, '{1}')
write served           none      none      served    served    served    served    served    none      shop
    DELETE FROM shop.served
page                   all       all       all       orders    orders    own       own       all       shop
    SELECT kind, subject, label, item_id, because FROM reco_page('xu-1'::text, 8, 10, 'shop')
shop.page              all       all       all       orders    orders    own       own       all       shop
    SELECT kind, subject, label, item_id, because FROM shop.page('xu-1', 8, 10)
affinity               all       all       all       products  orders    own       own       all       shop
    SELECT attribute, value FROM reco_affinity('xu-1'::text, model => 'shop')
demand                 all       all       all       products  all       own       own       all       shop
    SELECT expected, low, high, learned_from FROM reco_demand('{"tags": ["tag 1", "all"]}', 'shop')
audience_of            all       all       all       products  orders    own       own       all       shop
    SELECT user_id, because FROM reco_audience_of('{"tags": ["tag 1", "all"]}', 60, 'shop')
shop.affinity          all       all       all       products  orders    own       own       all       shop
    SELECT attribute, value FROM shop.affinity('xu-1')
shop.demand            all       all       all       products  all       own       own       all       shop
    SELECT expected, low, high, learned_from FROM shop.demand('{"tags": ["tag 1", "all"]}')
shop.audience_of       all       all       all       products  orders    own       own       all       shop
    SELECT user_id, because FROM shop.audience_of('{"tags": ["tag 1", "all"]}', 60)
segments               all       all       all       products  orders    own       own       all       shop
    SELECT segment, attributes, items FROM reco_segments('shop', 2, 'category')
segment_members        all       all       all       products  orders    own       own       all       shop
    SELECT user_id, segment FROM reco_segment_members('{"1": {"category {t}1": 0.8, "category {t}2": 0.6}, "2": {"category {t}3": 1}}', 'shop', 'category')
shop.segments          all       all       all       products  orders    own       own       all       shop
    SELECT segment, attributes, items FROM shop.segments(2, 'category')
shop.segment_members   all       all       all       products  orders    own       own       all       shop
    SELECT user_id, segment FROM shop.segment_members('{"1": {"category {t}1": 0.8, "category {t}2": 0.6}, "2": {"category {t}3": 1}}', 'category')
segment_of             all       all       all       products  orders    own       own       all       shop
    SELECT segment, membership FROM reco_segment_of('xu-1'::text, '{"1": {"category {t}1": 0.8, "category {t}2": 0.6}, "2": {"category {t}3": 1}}', 'shop', 'category')
shop.segment_of        all       all       all       products  orders    own       own       all       shop
    SELECT segment, membership FROM shop.segment_of('xu-1', '{"1": {"category {t}1": 0.8, "category {t}2": 0.6}, "2": {"category {t}3": 1}}', 'category')
progress               all       all       all       all       all       all       all       all       all
    SELECT count(*) FROM reco_progress()
TABLE

my (@way, %expected, @asked);
while ($table =~ /^(\S.*?) {2,}(\S.*)\n {4}(.*)\n/mg)
{
	push @way, $1;
	push @asked, $3;
	@{ $expected{$way[-1]} }{@roles} = split ' ', $2;
}
my %all = map { $_ => [ ask_all($superuser, $_, @asked) ] } ('n', 's');
my %got = map { $_ => [ ask_all($_, $_ eq 'south' ? 's' : 'n', @asked) ] } @roles;
my $cells = 0;
for my $n (0 .. $#way)
{
	my %cells = map { my $tenant = $_ eq 'south' ? 's' : 'n'; $_ => cell($got{$_}[$n], $all{$tenant}[$n], $tenant) } @roles;
	is_deeply(\%cells, $expected{$way[$n]}, $way[$n]) or diag(map { "$_: $got{$_}[$n][1]" } @roles);
	$cells += @roles;
}
cmp_ok($cells, '>=', 800, "$cells cells");

# Every function that takes a model, and every door, view and table of one, is in the table.
my %asked_for = map { $_ => 1 } map { /\b(reco_\w+)\(/g, /\b((?:shop|deep)\.\w+)/g } @asked;
is(join(' ', grep { !$asked_for{$_} } split /\n/, $node->safe_psql('shop', q{
	SELECT DISTINCT proname FROM pg_proc WHERE 'model' = ANY (proargnames) AND prorettype <> 'internal'::regtype AND proname LIKE 'reco\_%' AND proname NOT LIKE 'reco\_typed\_%'})),
	'', 'no function of a model is missing');
is(join(' ', grep { !$asked_for{"shop.$_"} && !$asked_for{"deep.$_"} } split /\n/, $node->safe_psql('shop', q{
	SELECT DISTINCT proname FROM pg_proc WHERE pronamespace = 'shop'::regnamespace UNION SELECT relname FROM pg_class WHERE relnamespace = 'shop'::regnamespace AND relkind IN ('r', 'v')})),
	'', 'nor a door, view or table');


# An id of the other tenant that is named is answered about, and no other of theirs.

for my $way (@way)
{
	my ($n) = grep { $way[$_] eq $way } 0 .. $#way;
	next unless $asked[$n] =~ /\{t\}-/;
	(my $sql = $asked[$n]) =~ s/\{t\}-/s-/g;
	$sql =~ s/\{t\}/n/g;
	my %named = map { $_ => 1 } $sql =~ /(s-\d+)/g;
	my ($got) = ask_all('north', 'n', $sql);
	my @others = grep { !$named{$_} } $got->[0] =~ /\b(su?-\d+)/g;
	is("@others$got->[1]", '', "north: $way of an item of the south: nothing else of theirs");
}


# Policies on the learned tables, too: then tenants do not see each other's items there either, and lists are the same.

works('merchant', join(' ', map { "ALTER TABLE $_ ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON $_ USING (EXISTS (SELECT FROM shop.items i WHERE i.item_id = " . (split /\./)[1] . ".item_id));" }
	qw(shop.learned_item shop.learned_group shop.learned_context deep.item_factor deep.learned_item)), '', 'sets policies on what was learned');
for my $role ('north', 'south', 'clerk')
{
	my $tenant = $role eq 'south' ? 's' : 'n';
	my @then = ask_all($role, $tenant, @asked);
	for my $n (0 .. $#way)
	{
		my $word = cell($then[$n], $all{$tenant}[$n], $tenant);
		if ($role ne 'clerk' && $way[$n] =~ /^(?:view (?:similar|popular)|table (?:learned_(?:item|group|context)|item_factor))$/)
		{
			is($word, 'own', "$role: $way[$n]: its own alone, under a policy");
		}
		else
		{
			is_deeply($then[$n][0], $got{$role}[$n][0], "$role: $way[$n]: as before, under a policy");
		}
	}
}
works('merchant', q{SELECT rows_written, events > 0 FROM reco_refresh('shop')}, '0|t', 'learns as before');
works('merchant', join(' ', map { "DROP POLICY own ON $_; ALTER TABLE $_ DISABLE ROW LEVEL SECURITY;" }
	qw(shop.learned_item shop.learned_group shop.learned_context deep.item_factor deep.learned_item)), '', 'takes policies back');


# Rights that go between two calls of one session, whose statements are prepared: the next call knows.

{
	my %prepared = (
		top_n => 'SELECT count(*) > 0 FROM reco_top_n(\'xu-1\'::text, 5, \'shop\')', door => 'SELECT count(*) > 0 FROM shop.top_n(\'xu-1\', 5)',
		score => 'SELECT shop.score(\'xu-1\', \'n-02\') >= 0', match => 'SELECT coalesce(reco_match(\'xu-1\'::text, \'n-02\'::text, \'shop\'), 0) >= 0',
		similar => 'SELECT count(*) > 0 FROM shop.similar_items(\'n-01\')', popular => 'SELECT count(*) > 0 FROM reco_popular(5, \'shop\')',
		everyone => 'SELECT count(*) > 0 FROM shop.top_n_all(1)', why_not => 'SELECT count(*) > 0 FROM shop.why_not(\'xu-1\', \'n-02\')',
		"view" => 'SELECT count(*) > 0 FROM shop.similar', learned => 'SELECT count(*) > 0 FROM shop.learned_item');
	my $session = $node->background_psql('shop', on_error_stop => 0, extra_params => [ '-U', 'clerk', '-v', 'VERBOSITY=verbose' ]);
	my $step = sub {
		my ($change, %refused) = @_;
		$node->safe_psql('shop', $change);
		for my $name (sort keys %prepared)
		{
			my $got = $session->query("EXECUTE ask_$name;");
			my $said = $session->{stderr};
			$session->{stderr} = '';
			if (my $who = $refused{$name}) { like($said, qr/permission denied for \w+ $who/, "after $change: $name is refused") }
			else { is($got, 't', "after $change: $name works") }
		}
	};
	$session->query("PREPARE ask_$_ AS $prepared{$_};") for sort keys %prepared;
	$session->query('SET plan_cache_mode = force_generic_plan;');
	$step->('SELECT 1');
	$step->('SELECT 2');
	my %history = map { $_ => 'orders' } qw(top_n door score match everyone why_not);
	my %catalogue = map { $_ => 'products' } qw(similar popular everyone why_not top_n door);
	$step->('REVOKE SELECT ON sales.orders FROM clerk', %history);
	$step->('GRANT SELECT ON sales.orders TO clerk');
	$step->('REVOKE SELECT ON sales.products FROM clerk', %catalogue);
	$step->('GRANT SELECT ON sales.products TO clerk');
	$step->('REVOKE SELECT ON shop.learned_item FROM PUBLIC', map { $_ => 'learned_item' } keys %prepared);
	$step->('GRANT SELECT ON shop.learned_item TO PUBLIC');
	$step->('REVOKE USAGE ON SCHEMA shop FROM clerk', map { $_ => 'shop' } keys %prepared);
	$step->('GRANT USAGE ON SCHEMA shop TO clerk');
	$session->quit;
}


# Functions of the extension's own names that another role plants beside them: none is called by the extension.

$node->safe_psql('shop', q{
	CREATE ROLE mallory LOGIN;
	GRANT CREATE, USAGE ON SCHEMA public TO mallory;
	GRANT CREATE ON DATABASE shop TO mallory});
works('mallory', q{
	CREATE SCHEMA den;
	GRANT USAGE ON SCHEMA den TO PUBLIC;
	CREATE TABLE den.diary (what text, who name);
	CREATE FUNCTION den.note(what text) RETURNS void LANGUAGE sql SECURITY DEFINER AS $$ INSERT INTO den.diary VALUES (what, current_user) $$;
	CREATE FUNCTION den.trap(what text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE LOG 'trapped: % as %', what, current_user; PERFORM den.note(pg_catalog.concat(what, ' as ', current_user)); END $$;
	CREATE FUNCTION den.step(s bigint, t bytea, u text, i text, a timestamptz, w float8, c boolean, g int) RETURNS bigint LANGUAGE plpgsql AS
		$$ BEGIN PERFORM den.trap('reco_gather'); RETURN 0; END $$;
	GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA den TO PUBLIC}, '', 'lies in wait');
works('merchant', q{SELECT reco_create_model('large', 'SELECT (g % 100)::text AS user_id, (g % 50)::text AS item_id FROM generate_series(1, 150000) g')}, '',
	'makes a model of so many events that several processes may read them');

# What ran of all that is planted, with whose rights, since this was asked last; the log of the server knows it even where a
# transaction was rolled back.
my $trapped_until = 0;
sub trapped
{
	my $log = slurp_file($node->logfile, $trapped_until);
	$trapped_until += length $log;
	my %trapped = map { $_ => 1 } $log =~ /LOG:  (?:\w+: )?trapped: (.*)/g;
	return join(', ', sort keys %trapped);
}

my %plants = (
	'a part of the refresh' => [ 'public.reco_gather(',
		q{CREATE AGGREGATE public.reco_gather(bytea, text, text, timestamptz, float8, boolean, int) (SFUNC = den.step, STYPE = bigint)},
		[ 'merchant', q{SELECT reco_refresh('large')}, 'DROP AGGREGATE public.reco_gather(bytea, text, text, timestamptz, float8, boolean, int)' ] ],
	'what a door leads to' => [ 'public.reco_typed_score(',
		q{CREATE FUNCTION public.reco_typed_score(text, text, regclass) RETURNS float8 LANGUAGE plpgsql AS $$ BEGIN PERFORM den.trap('score'); RETURN 0; END $$},
		[ 'merchant', q{SELECT reco_create_model('other', 'SELECT customer_id AS user_id, product_id AS item_id FROM sales.orders')}, 'DROP FUNCTION public.reco_typed_score(text, text, regclass)' ] ],
	'what the view of neighbours calls' => [ 'public.reco_unpack_neighbors(',
		q{CREATE FUNCTION public.reco_unpack_neighbors(bytea, int, text) RETURNS TABLE (rank int, item_no int, similarity float8, support int) LANGUAGE plpgsql AS $$ BEGIN PERFORM den.trap('unpack'); END $$},
		[ 'merchant', q{SELECT reco_create_model('other', 'SELECT customer_id AS user_id, product_id AS item_id FROM sales.orders')}, 'DROP FUNCTION public.reco_unpack_neighbors(bytea, int, text)' ] ],
	'the list that why_not looks into' => [ 'public.reco_typed_top_n(',
		q{CREATE FUNCTION public.reco_typed_top_n(text, int, regclass, text[], text[], float8, timestamptz, boolean, boolean) RETURNS SETOF record LANGUAGE plpgsql AS $$ BEGIN PERFORM den.trap('top_n'); END $$},
		[ 'clerk', q{SELECT * FROM reco_why_not('xu-1'::text, 'n-03'::text, 'shop')}, 'DROP FUNCTION public.reco_typed_top_n(text, int, regclass, text[], text[], float8, timestamptz, boolean, boolean)' ] ],);
for my $plant (sort keys %plants)
{
	my ($name, $create, $then) = @{ $plants{$plant} };
	my ($role, $sql, $drop) = @$then;
	works('mallory', $create, '', "plants $plant");
	my ($status, $out, $err) = as($role, $sql);
	like($err, qr/ERROR:  42723: function \Q$name\E.* is not the extension's/, "$role: refuses to call $plant");
	works('clerk', q{SELECT shop.score('xu-1', 'n-02') > 0, count(*) FROM shop.top_n('xu-1', 3), (SELECT count(*) FROM shop.similar) s}, 't|3', "doors and views made before do not know of $plant");
	works('mallory', $drop, '', "takes $plant away");
	($status, $out, $err) = as($role, "BEGIN; $sql; ROLLBACK");
	is($err, '', "$role: as before, without $plant");
}

works('merchant', q{SELECT reco_drop_model('large')}, '', 'drops it');

# A function that fits a call of ours better is called by whoever calls by that name; the doors lead where they did.
works('mallory', q{CREATE FUNCTION public.reco_top_n(text, int, text) RETURNS TABLE (item_id text) LANGUAGE plpgsql AS $$ BEGIN PERFORM den.trap('reco_top_n'); END $$}, '', 'plants a better fit');
works('clerk', q{SELECT count(*) FROM shop.top_n('xu-1', 3)}, 3, 'the door does not care');
works('mallory', q{DROP FUNCTION public.reco_top_n(text, int, text)}, '', 'takes it away');

# Operators that fit what ours are called with better than the system's own, and functions, planted in public: wherever
# there is none of just these types.  Nothing of the extension's goes by them.
works('mallory', q{
	DO $$
	DECLARE
		types text[] := '{int2,int4,int8,float4,float8,numeric,text,varchar,name,bool,date,timestamptz,timestamp,interval,jsonb,oid,regclass,uuid,bytea}';
		l text; r text; o text; f text;
	BEGIN
		FOREACH l IN ARRAY types LOOP
			FOREACH r IN ARRAY types LOOP
				EXECUTE format('CREATE FUNCTION public.op(%s, %s) RETURNS boolean LANGUAGE plpgsql AS $f$ BEGIN PERFORM den.trap(%L); RETURN true; END $f$', l, r, l || ' and ' || r);
				FOREACH o IN ARRAY '{=,<>,<,>,<=,>=,+,-,*,/,%,||}'::text[] LOOP
					IF to_regoperator(format('pg_catalog.%s(%s,%s)', o, l, r)) IS NULL THEN
						EXECUTE format('CREATE OPERATOR public.%s (FUNCTION = public.op, LEFTARG = %s, RIGHTARG = %s)', o, l, r);
					END IF;
				END LOOP;
			END LOOP;
		END LOOP;
		FOREACH f IN ARRAY ARRAY['count(text)', 'count(int4)', 'count(float8)', 'count(timestamptz)', 'sqrt(int4)', 'ln(int4)', 'exp(int4)', 'power(float8,int4)', 'round(float8,int4)', 'floor(int4)',
			'to_jsonb(text)', 'to_jsonb(int4)', 'jsonb_build_object(text,text)', 'concat(text,text)', 'format(text,text)', 'array_position(text[],text)', 'unnest(text[])', 'unnest(float8[])',
			'array_length(text[],int4)', 'make_interval(float8)', 'min(bool)', 'bool_and(int4)', 'lead(timestamptz)', 'date_part(text,date)', 'generate_series(int4,int8)'] LOOP
			EXECUTE format('CREATE FUNCTION public.%s RETURNS float8 LANGUAGE plpgsql AS $f$ BEGIN PERFORM den.trap(%L); RETURN 0; END $f$', f, f);
		END LOOP;
	END $$;
	CREATE TABLE public.learned_item (item_id text, users int); CREATE TABLE public.events (user_id text); CREATE TABLE public.model (x int)}, '', 'plants operators, functions and tables');
trapped();
works('clerk', q{SELECT 1::float8 > 0}, 't', 'one of them is called');
is(trapped(), 'float8 and int4 as clerk', 'and tells');
for my $role ('merchant', 'clerk', 'north', $superuser)
{
	my $tenant = $role eq 'south' ? 's' : 'n';
	my @then = ask_all($role, $tenant, @asked);
	is(join(', ', grep { my $n = $_; $then[$n][0] ne $got{$role}[$n][0] } 0 .. $#way), '', "$role: every way answers as before");
}
is(trapped(), '', 'nothing of what was planted ran');

# Who lists what models there are runs nothing of theirs, not even what the planner would run for an index.
works('mallory', q{
	CREATE TABLE den.seen AS SELECT u, i FROM generate_series(1, 5) u, generate_series(1, 3) i;
	CREATE FUNCTION den.always(int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM den.trap('predicate'); RETURN true; END $$;
	SELECT reco_create_model('bait', 'SELECT u AS user_id, i AS item_id FROM den.seen');
	SELECT events FROM reco_refresh('bait');
	CREATE INDEX ON bait.model ((true)) WHERE den.always(1);
	GRANT USAGE ON SCHEMA bait TO PUBLIC;
	}, "\n15", 'makes a model that is bait');
trapped();
works($_, q{SELECT model FROM reco_models() WHERE model = 'bait'}, 'bait', 'lists it') for ($superuser, 'clerk');
is(trapped(), '', 'and runs nothing of its owner\'s');
works('mallory', q{SELECT reco_drop_model('bait')}, '', 'takes the bait away');
$node->safe_psql('shop', 'DROP TABLE public.learned_item, public.events, public.model; DROP FUNCTION ' . join(', ', split /\n/,
	$node->safe_psql('shop', q{SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proowner = 'mallory'::regrole})) . ' CASCADE');

# Consent where several processes read the events: they do, and learn what one learns from those alone who said yes.

works('merchant', q{
	CREATE TABLE sales.visits AS SELECT u, (u * 7 + n * n * 3 + u * n) % 200 AS i FROM generate_series(1, 6000) u, generate_series(1, 25) n;
	ALTER TABLE sales.visits SET (parallel_workers = 2);
	CREATE TABLE sales.said AS SELECT u, u % 7 > 0 AS yes FROM generate_series(1, 5900) u;
	ANALYZE sales.visits, sales.said;
	SELECT reco_create_model('asked', 'SELECT u AS user_id, i AS item_id FROM sales.visits', users => 'SELECT u AS user_id, yes AS consent FROM sales.said');
	SELECT reco_create_model('alone', 'SELECT u AS user_id, i AS item_id FROM sales.visits WHERE u <= 5900 AND u % 7 > 0')}, "\n", 'makes two models');
{
	my ($status, $out, $err) = as('merchant', q{
		SET client_min_messages = debug1; SET max_parallel_maintenance_workers = 2; SET parallel_setup_cost = 0; SET min_parallel_table_scan_size = 0;
		SELECT events, skipped_no_consent FROM reco_refresh('asked')});
	like($err, qr/[12] workers helped to read the events/, 'workers read who said yes');
	is($out, (5900 - 842) * 25 . '|' . (100 + 842) * 25, 'and count who did not');
	works('merchant', q{
		SET max_parallel_maintenance_workers = 0;
		SELECT skipped_no_consent FROM reco_refresh('alone');
		SELECT count(*) FROM (SELECT a::text FROM asked.learned_item a EXCEPT SELECT b::text FROM alone.learned_item b) d;
		SELECT count(*) FROM asked.learned_item;
		SELECT reco_drop_model('asked'), reco_drop_model('alone')}, "0\n0\n200\n|", 'what one process learns from them alone');
}



# Columns of a type that somebody else owns, who plants casts from it that run as whoever asks: an enum may have them, a
# domain's are passed over by PostgreSQL.  What the extension makes of such a column goes by how its values are written.

works('mallory', q{
	CREATE TYPE den.mood AS ENUM ('glad', 'sad', 'new');
	CREATE DOMAIN den.tag AS den.mood;
	GRANT USAGE ON TYPE den.mood, den.tag TO PUBLIC}, '', 'offers types');
works('merchant', q{
	CREATE TABLE sales.felt AS SELECT 'u' || u AS u, 'i' || (u * 7 + n * n) % 30 AS i, timestamptz '2026-01-01' + (n * 24 + u % 24) * interval '1 hour' AS at,
		(enum_range(NULL::den.mood))[1 + (u + n) % 2] AS mood, (enum_range(NULL::den.mood))[1 + u % 2]::den.tag AS tag, (ARRAY['glad', 'sad'])[1 + (u + n) % 2] AS act, n / 10.0 AS progress
		FROM generate_series(1, 90) u, generate_series(1, 9) n;
	CREATE TABLE sales.toys AS SELECT 'i' || i AS id, (enum_range(NULL::den.mood))[1 + i % 3] AS mood, enum_range(NULL::den.mood) AS moods, (enum_range(NULL::den.mood))[1 + i % 2]::den.tag AS tag, i AS n FROM generate_series(0, 34) i;
	CREATE TABLE sales.feelers AS SELECT 'u' || u AS id, (enum_range(NULL::den.mood))[1 + u % 3] AS mood, true AS yes FROM generate_series(1, 95) u;
	SELECT reco_create_model('moody', 'SELECT u AS user_id, i AS item_id, at AS occurred_at, act AS signal, mood, tag, progress FROM sales.felt',
		'SELECT id AS item_id, mood, moods, tag, n FROM sales.toys', 'SELECT id AS user_id, mood, yes AS consent FROM sales.feelers',
		'SELECT id AS item_id, mood AS value, 2.0 AS boost FROM sales.toys WHERE n = 4');
	SELECT reco_configure('moody', similarity => 'cosine', category => 'mood', contexts => '{mood, tag}', exclude_seen => '{"glad": "forever", "sad": "1 day"}',
		unfinished => '{"basket": ["glad"], "bought": ["sad"], "removed": ["new"], "series": "mood", "order": "n"}');
	SELECT reco_create_model('aimed', 'SELECT user_id, item_id, occurred_at, signal FROM moody.events', 'SELECT item_id, moods, tag FROM moody.items');
	SELECT reco_configure('aimed', target_signal => 'glad', category => 'tag');
	CREATE VIEW sales.choices AS SELECT i AS item_id, mood AS variant, tag AS segment, true AS chosen FROM sales.felt;
	SELECT reco_create_log('moody')}, "\n\n\n\n", 'makes models with columns of these types');
$node->safe_psql('shop', 'GRANT USAGE ON SCHEMA moody, aimed TO clerk; GRANT SELECT ON sales.felt, sales.toys, sales.feelers, sales.choices TO clerk');
my @moody = map { my $user = $_; (
	"SELECT * FROM moody.top_n('$user', 10, max_per => 'mood', max_per_n => 3)", "SELECT * FROM moody.top_n('$user', 10, max_per => 'moods', max_per_n => 4)",
	"SELECT * FROM moody.top_n('$user', 10, context => '{\"mood\": \"sad\", \"tag\": \"glad\"}')", "SELECT * FROM moody.top_n('$user', 10, diversity => 0.5)",
	"SELECT * FROM moody.top_n('$user', 10, calibrated => 0.5, calibrated_by => 'tag')", "SELECT * FROM aimed.top_n('$user', 10, calibrated => 0.5, calibrated_by => 'moods')",
	"SELECT * FROM moody.why('$user', 'i3')", "SELECT * FROM moody.why_not('$user', 'i3')", "SELECT * FROM moody.rank('$user', '{i1,i2,i3}')", "SELECT moody.match('$user', 'i3')",
	"SELECT * FROM moody.continue('$user')", "SELECT * FROM moody.page('$user', follows => 'mood')", "SELECT * FROM moody.disclose('$user')", "SELECT * FROM moody.traces('$user')",
	"SELECT * FROM moody.wrapped('$user', '2026-01-01', '2026-02-01', category => 'mood', title => 'tag')",
	"SELECT * FROM moody.wrapped_json('$user', '2026-01-01', '2026-02-01', category => 'moods', title => 'mood')",
	"SELECT * FROM moody.affinity('$user')", "SELECT * FROM moody.similar_users('$user')", "SELECT * FROM moody.next_purchases('$user', as_of => '2026-01-12')", "SELECT * FROM moody.best_time('$user', as_of => '2026-01-12')") } ('u5', 'u93');
push @moody, q{SELECT * FROM moody.complete('{i1,i2}', 10, max_per => 'tag', max_per_n => 3)}, q{SELECT * FROM moody.top_n_all(5, max_per => 'mood', max_per_n => 3)},
	q{SELECT * FROM moody.onboarding()}, q{SELECT * FROM moody.audience('i3')}, q{SELECT * FROM moody.hooks(0.01, 1)}, q{SELECT * FROM reco_check('moody')},
	q{SELECT segment, users, attributes FROM reco_segments('moody', 3, 'mood')}, q{SELECT segment, users, attributes FROM reco_segments('moody', 3, 'moods')},
	q{SELECT * FROM moody.audience_of('{"mood": "sad"}', 10)}, q{SELECT round(expected) FROM reco_demand('{"mood": "sad", "moods": ["glad"]}', 'moody')}, q{SELECT * FROM reco_attribute('moody')},
	q{SELECT rule, rows FROM reco_explain_by('SELECT mood, tag, progress > 0.4 AS is FROM sales.felt', 'is')}, q{SELECT events, users FROM reco_estimate('moody')},
	q{SELECT variant FROM reco_choose('u5'::text, 'i3'::text, '{glad,sad}', 'sales.choices', 'glad', 7)},
	q{SELECT metric, value FROM reco_evaluate('moody', 5)}, q{SELECT metric, value FROM reco_evaluate('moody', 5, as_served => true)};
my @moody_owner = (q{SELECT events, items, skipped_no_consent FROM reco_refresh('moody')}, q{SELECT events, items FROM reco_refresh('aimed')}, q{SELECT users FROM reco_learn_habits('moody')},
	q{DELETE FROM sales.felt WHERE u = 'u5'; SELECT rows_written > 0 FROM moody.forget('u5')});
works('merchant', $moody_owner[$_] =~ s/^SELECT .*? FROM/SELECT count(*) FROM/r, 1, 'learns from them') for 0 .. 2;
my @felt = ask_all('merchant', '', @moody_owner);
my %before_casts = map { $_ => [ ask_all($_, '', @moody) ] } ('clerk', 'merchant');
is(join("\n", map { my $n = $_; $before_casts{clerk}[$n][1] && $moody[$n] !~ /disclose|traces|attribute|estimate/ ? "$moody[$n]: $before_casts{clerk}[$n][1]" : () } 0 .. $#moody), '', 'clerk: all but what is for owners can be asked');
works('mallory', q{
	SET client_min_messages = error;
	DO $$
	DECLARE
		f text; t text;
	BEGIN
		FOREACH f IN ARRAY '{den.mood,den.mood[],den.tag}'::text[] LOOP
			FOREACH t IN ARRAY '{text,varchar,bpchar,name,int4,int8,float8,numeric,bool,json,jsonb,date,timestamptz,uuid,text[],jsonb[]}'::text[] LOOP
				EXECUTE format('CREATE FUNCTION den.%I(%s) RETURNS %s LANGUAGE plpgsql AS $f$ BEGIN PERFORM den.trap(%L); RETURN NULL; END $f$', 'to ' || t, f, t, f || ' to ' || t);
				EXECUTE format('CREATE CAST (%s AS %s) WITH FUNCTION den.%I(%s) AS IMPLICIT', f, t, 'to ' || t, f);
			END LOOP;
		END LOOP;
		CREATE FUNCTION den.of_text(text) RETURNS den.mood LANGUAGE plpgsql AS 'BEGIN PERFORM den.trap(''text to mood''); RETURN NULL; END';
		CREATE CAST (text AS den.mood) WITH FUNCTION den.of_text(text) AS IMPLICIT;
	END $$;
	GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA den TO PUBLIC;
	}, '', 'plants casts');
trapped();
works('clerk', q{SELECT mood::text FROM sales.felt LIMIT 1}, '', 'who casts, runs one');
is(trapped(), 'den.mood to text as clerk', 'and it tells');
for my $role ('clerk', 'merchant')
{
	my @then = ask_all($role, '', @moody);
	is("$then[$_][0]$then[$_][1]", "$before_casts{$role}[$_][0]$before_casts{$role}[$_][1]", "$role, planted casts: $moody[$_]") for 0 .. $#moody;
	is(trapped(), '', "$role: no cast that was planted ran");
}
{
	my @then = ask_all('merchant', '', @moody_owner);
	is("$then[$_][0]$then[$_][1]", "$felt[$_][0]$felt[$_][1]", "merchant, planted casts: $moody_owner[$_]") for 0 .. $#moody_owner;
	is(trapped(), '', 'what is learned goes by none of them');
}
works('merchant', q{SELECT reco_drop_model('aimed'), reco_drop_model('moody')}, '|', 'drops them');


# SQL in every name and setting is a name, and nothing else.

works('merchant', q{
	\set evil '"''; DROP TABLE sales.witness; --'
	CREATE TABLE sales.witness (x int);
	CREATE SCHEMA sorts;
	CREATE TYPE sorts.:"evil" AS ENUM (:'evil', 'b');
	CREATE TABLE sales.:"evil" AS SELECT :'evil' || u AS :"evil", 'i' || i AS i, timestamptz '2024-01-01' + (u * 7 + i) * interval '1 hour' AS at,
		CASE i % 2 WHEN 0 THEN :'evil' ELSE 'b' END::sorts.:"evil" AS device, CASE WHEN u % 2 = 0 THEN :'evil' ELSE 'other' END AS kind
		FROM generate_series(1, 60) u, generate_series(1, 12) i WHERE (u + i * i) % 3 > 0;
	CREATE TABLE sales.things AS SELECT 'i' || i AS id, :'evil' || i % 3 AS :"evil", i AS n FROM generate_series(1, 14) i;
	CREATE TABLE sales.people AS SELECT DISTINCT :"evil" AS id, :'evil' || length(:"evil") AS :"evil", true AS yes FROM sales.:"evil";
	SELECT reco_create_model(:'evil', format('SELECT %1$I AS user_id, i AS item_id, at AS occurred_at, kind AS signal, device AS %1$I FROM sales.%1$I', :'evil'),
		format('SELECT id AS item_id, %1$I, n FROM sales.things', :'evil'), format('SELECT id AS user_id, %1$I, yes AS consent FROM sales.people', :'evil'),
		format('SELECT %1$L::text AS attribute, %1$L || 1 AS value, 2.0 AS boost', :'evil'));
	SELECT reco_configure(:'evil', category => :'evil', contexts => ARRAY['occurred_at', :'evil'], exclude_seen => jsonb_build_object(:'evil', 'never'),
		unfinished => jsonb_build_object('basket', ARRAY[:'evil'], 'bought', ARRAY['other'], 'series', :'evil', 'order', 'n'));
	SELECT events > 0, skipped_no_consent FROM reco_refresh(:'evil');
	SET reco.model = :'evil';
	SELECT reco_create_log();
	SELECT reco_tune(budget => '1 ms') IS NOT NULL LIMIT 0;
	SELECT count(*) > 0 FROM reco_top_n(:'evil' || 1, 5, diversity => 0.5, max_per => :'evil', max_per_n => 3, calibrated => 0.5, calibrated_by => :'evil', context => jsonb_build_object('occurred_at', 'now', :'evil', :'evil'));
	SELECT count(*) > 0 FROM reco_top_n_all(3, max_per => :'evil', max_per_n => 3);
	SELECT count(*) > 0 FROM :"evil".top_n(:'evil' || 1, 5);
	SELECT count(*) > 0 FROM :"evil".serve(:'evil' || 1, 5, :'evil');
	SELECT count(*) > 0 FROM reco_attribute();
	SELECT count(*) > 0 FROM :"evil".explore(:'evil' || 1, 5);
	SELECT count(*) > 0 FROM :"evil".complete(ARRAY['i1', :'evil'], 5, exclude => ARRAY[:'evil']);
	SELECT count(*) FROM :"evil".why_not(:'evil' || 1, :'evil');
	SELECT count(*) > 0 FROM :"evil".why_not(:'evil' || 1, 'i1');
	SELECT :"evil".score(:'evil' || 1, 'i1') >= 0;
	SELECT count(*) > 0 FROM :"evil".rank(:'evil' || 1, ARRAY['i1', :'evil']);
	SELECT count(*) > 0 FROM :"evil".audience('i1');
	SELECT count(*) > 0 FROM :"evil".similar_users(:'evil' || 1);
	SELECT count(*) > 0 FROM :"evil".page(:'evil' || 1, follows => :'evil');
	SELECT count(*) >= 0 FROM :"evil".continue(:'evil' || 2);
	SELECT count(*) >= 0 FROM :"evil".hooks(0.01, 1);
	SELECT count(*) > 0 FROM :"evil".wrapped(:'evil' || 1, '2024-01-01', '2025-01-01', category => :'evil', title => :'evil');
	SELECT count(*) > 0 FROM :"evil".learned_context;
	SELECT count(*) > 0 FROM :"evil".learned_group;
	SELECT count(*) > 0 FROM :"evil".disclose(:'evil' || 1);
	SELECT count(*) > 0 FROM :"evil".traces(:'evil' || 1);
	SELECT rows_written > 0 FROM :"evil".forget(:'evil');
	SELECT count(*) >= 0 FROM reco_check();
	SELECT events > 0 FROM reco_estimate();
	SELECT count(*) > 0 FROM reco_evaluate();
	SELECT count(*) > 0 FROM reco_evaluate(as_served => true);
	SELECT count(*) FROM reco_models() WHERE model = :'evil';
	SELECT reco_drop_model(:'evil');
	SELECT count(*) FROM sales.witness;
	DROP TABLE sales.witness, sales.things, sales.people, sales.:"evil"; DROP TYPE sorts.:"evil"; DROP SCHEMA sorts},
	"\n\nt|0\n\nt\nt\nt\nt\nt\nt\nt\n1\nt\nt\nt\nt\nt\nt\nt\nt\nt\nt\nt\nt\nt\nt\nt\nt\nt\nt\n1\n\n0", 'SQL in every name: names');
for my $setting ('similarity', 'time_zone', 'category', 'algorithm', 'weighting', 'keep')
{
	my ($status, $out, $err) = as('merchant', qq{SELECT reco_configure('shop', $setting => '"''; DROP TABLE sales.orders; --')});
	like($err, qr/ERROR:  (?:22023|42703): /, "SQL as $setting: an error that says so");
}

$node->stop;
done_testing();
