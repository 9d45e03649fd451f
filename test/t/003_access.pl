# Who may do what: owners, readers, strangers, tenants; a hostile search_path; a trusted extension.

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
	my ($role, $sql, $message, $name) = @_;
	my ($status, $out, $err) = as($role, $sql);
	like($err, qr/ERROR:  42501: \Q$message\E\n/, "$role: $name");
}


# A database owner who is no superuser installs the extension; a role that owns nothing does not.

$node->safe_psql('postgres', q{
	CREATE ROLE landlord LOGIN;
	CREATE ROLE merchant LOGIN;
	CREATE ROLE manager LOGIN IN ROLE merchant;
	CREATE ROLE clerk LOGIN;
	CREATE ROLE auditor LOGIN;
	CREATE ROLE stranger LOGIN;
	CREATE ROLE north LOGIN;
	CREATE ROLE south LOGIN;
	CREATE DATABASE shop OWNER landlord;
});
refused('stranger', 'CREATE EXTENSION reco', 'permission denied to create extension "reco"', 'may not create the extension');
works('landlord', 'CREATE EXTENSION reco', '', 'a database owner creates the extension');
is($node->safe_psql('shop', q{SELECT count(*) FROM pg_proc WHERE probin LIKE '%reco%' AND NOT pg_has_role(proowner, 'pg_database_owner', 'usage')
	AND proowner <> 10}), 0, 'whose C functions belong to a superuser');
works('landlord', 'DROP EXTENSION reco; CREATE EXTENSION reco', '', 'and drops it, and creates it again');
works('landlord', 'GRANT CREATE ON DATABASE shop TO merchant', '', 'gives another room');


# The owner.

works('merchant', q{
	CREATE SCHEMA sales;
	GRANT USAGE ON SCHEMA sales TO PUBLIC;
	CREATE TABLE sales.orders (customer_id int, product_id int, ordered_at timestamptz, tenant name);
	CREATE TABLE sales.products (id int PRIMARY KEY, name text);
	INSERT INTO sales.products SELECT p, 'product ' || p FROM generate_series(0, 59) p;
	INSERT INTO sales.orders
		SELECT DISTINCT ON (customer_id, product_id) * FROM (
			SELECT c AS customer_id, (c % 6) + 6 * ((c * 7 + n * n) % 10) AS product_id,
				timestamptz '2024-01-01' + n * interval '9 days' + c * interval '1 hour' AS ordered_at,
				CASE n % 2 WHEN 0 THEN 'north' ELSE 'south' END AS tenant
			FROM generate_series(1, 300) c, generate_series(1, 8) n
			UNION ALL
			SELECT c, (c * 11 + n * 17) % 60, timestamptz '2024-02-01' + n * interval '1 day', 'south'
			FROM generate_series(1, 300) c, generate_series(1, 4) n
			UNION ALL
			SELECT c, 50 + c % 3, timestamptz '2024-05-01', 'south' FROM generate_series(100, 200) c) o
		ORDER BY customer_id, product_id, ordered_at;
	SELECT reco_create_model('shop', 'SELECT customer_id AS user_id, product_id AS item_id, ordered_at AS occurred_at FROM sales.orders',
		'SELECT id AS item_id, name FROM sales.products');
	SELECT events > 2000 FROM reco_refresh('shop')}, "\nt", 'creates a model and refreshes it');
my $events = $node->safe_psql('shop', 'SELECT count(*) FROM sales.orders');
is($node->safe_psql('shop', 'SELECT events FROM shop.model'), $events, 'from every order');
works('merchant', 'SELECT count(*) FROM reco_top_n(1)', 10, 'asks it');
is($node->safe_psql('shop', q{SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class WHERE relnamespace = 'shop'::regnamespace}),
	'merchant', 'the model is the owner\'s');
refused('stranger', q{SELECT reco_create_model('mine', 'SELECT 1 AS user_id, 2 AS item_id')},
	'permission denied for database shop', 'may not create a model, which is a schema');

# What all ways to ask are, and what they answer.
my %ways = (
	'reco_top_n' => q{SELECT * FROM reco_top_n(5, 10, 'shop')},
	'top_n' => q{SELECT * FROM shop.top_n(5, 10)},
	'reco_complete' => q{SELECT * FROM reco_complete(ARRAY[1, 2]::bigint[], 10, 'shop')},
	'reco_similar_items' => q{SELECT * FROM reco_similar_items(1, 10, 'shop')},
	'similar_items' => q{SELECT * FROM shop.similar_items(1, 10)},
	'reco_score' => q{SELECT reco_score(5, 11, 'shop'), reco_match(5, 11, 'shop'), shop.score(5, 11), shop.match(5, 11)},
	'reco_why' => q{SELECT * FROM reco_why(5, 11, 'shop')},
	'reco_why_not' => q{SELECT * FROM reco_why_not(5, 12, 'shop')},
	'reco_rank' => q{SELECT * FROM reco_rank(5, ARRAY[1, 12, 11, 99]::bigint[], 'shop')},
	'reco_audience' => q{SELECT * FROM reco_audience(11, 10, 'shop')},
	'audience' => q{SELECT * FROM shop.audience(11, 10)},
	'reco_similar_users' => q{SELECT * FROM reco_similar_users(5, 10, 'shop')},
	'reco_popular' => q{SELECT * FROM reco_popular(10, 'shop')},
	'popular' => q{SELECT * FROM shop.popular(10)},
	'trending' => q{SELECT * FROM shop.trending(10)},
	'the view similar' => q{SELECT * FROM shop.similar ORDER BY item_id, rank},
	'the view popular' => q{SELECT * FROM shop.popular ORDER BY item_id},);
my %answer = map { $_ => $node->safe_psql('shop', $ways{$_}) } keys %ways;
cmp_ok(length($answer{$_}), '>', 20, "there is an answer to compare: $_") for sort keys %answer;


# A reader: USAGE on the schema, SELECT on the sources.

$node->safe_psql('shop', q{
	GRANT USAGE ON SCHEMA shop TO clerk, auditor;
	GRANT SELECT ON sales.orders, sales.products TO clerk});
works('clerk', $ways{$_}, $answer{$_}, $_) for sort keys %ways;
works('clerk', 'SELECT model, owner FROM reco_models()', 'shop|merchant', 'sees the model');
refused('clerk', q{SELECT reco_refresh('shop')}, 'must be owner of schema shop', 'may not refresh');
refused('clerk', q{SELECT reco_configure('shop', min_match => 70)}, 'must be owner of schema shop', 'may not configure');
refused('clerk', q{SELECT reco_drop_model('shop')}, 'must be owner of schema shop', 'may not drop');
refused('clerk', 'UPDATE shop.model SET min_match = 70', 'permission denied for table model', 'may not write its row');
refused('clerk', 'DELETE FROM shop.learned_item', 'permission denied for table learned_item', 'nor what was learned');

# USAGE, but no right to the sources: what needs them is refused by name, what does not is answered.
my %needs = (
	'reco_top_n' => 'orders', 'top_n' => 'orders', 'reco_score' => 'orders', 'reco_why' => 'orders',
	'reco_why_not' => 'products', 'reco_rank' => 'orders', 'reco_audience' => 'orders', 'audience' => 'orders', 'reco_similar_users' => 'orders', 'reco_complete' => 'products',
	'reco_similar_items' => 'products', 'similar_items' => 'products', 'reco_popular' => 'products', 'popular' => 'products',
	'trending' => 'products');
refused('auditor', $ways{$_}, "permission denied for table $needs{$_}", "$_ without a right to $needs{$_}") for sort keys %needs;
works('auditor', $ways{$_}, $answer{$_}, "$_ without a right to the sources") for ('the view similar', 'the view popular');
works('auditor', 'SELECT model FROM reco_models()', 'shop', 'sees the model');
refused('auditor', q{SELECT * FROM reco_check('shop')}, 'permission denied for table orders', 'reco_check without a right to orders');
$node->safe_psql('shop', 'GRANT SELECT ON sales.products TO auditor');
works('auditor', $ways{$_}, $answer{$_}, "$_ with a right to the catalogue alone")
  for ('reco_complete', 'reco_similar_items', 'reco_popular', 'trending');
refused('auditor', $ways{$_}, 'permission denied for table orders', "but nobody's history: $_")
  for ('reco_top_n', 'reco_why_not', 'reco_audience', 'reco_similar_users');

# No USAGE.
refused('stranger', $ways{$_}, 'permission denied for schema shop', $_) for sort keys %ways;
refused('stranger', q{SELECT reco_refresh('shop')}, 'permission denied for schema shop', 'reco_refresh');
works('stranger', 'SELECT count(*) FROM reco_models()', 0, 'sees no model');
my (undef, undef, $err) = as('stranger', 'SELECT * FROM reco_top_n(1)');
like($err, qr/ERROR:  42704: there is no model/, 'stranger: has none to ask');
(undef, undef, $err) = as('stranger', q{SELECT * FROM reco_top_n(1, 5, 'shopping')});
unlike($err, qr/"shop"/, 'stranger: the list of models does not tell of this one');

# A member of the owning role.
works('manager', q{SELECT events FROM reco_refresh('shop'); SELECT reco_configure('shop', min_match => 50)}, "$events\n",
	'a member of the owner refreshes and configures');
works('manager', q{SELECT reco_create_model('other', 'SELECT customer_id AS user_id, product_id AS item_id FROM sales.orders')}, '', 'has models too');
works('manager', q{BEGIN; SELECT reco_drop_model('shop'); ROLLBACK}, '', 'could drop');
works('merchant', q{SELECT count(*) FROM pg_class WHERE relnamespace = 'shop'::regnamespace AND relowner <> 'merchant'::regrole}, 0, 'owns all there is still');
refused('merchant', q{SELECT reco_refresh('other')}, 'permission denied for schema other', 'is not the owner of what a member made');
works('manager', q{SELECT reco_drop_model('other')}, '', 'drops its own');
is($node->safe_psql('shop', $ways{$_}), $answer{$_}, "after all that, the same answer: $_") for sort keys %ways;


# A refresh runs as the owner, whoever asks for it, and can do nothing to who asked.

works('merchant', q{
	CREATE TABLE sales.diary (what text, who name, said text);
	CREATE FUNCTION sales.note() RETURNS boolean LANGUAGE plpgsql AS $$
	BEGIN
		INSERT INTO sales.diary VALUES ('events', current_user, current_setting('search_path'));
		BEGIN
			EXECUTE 'RESET ROLE';
			INSERT INTO sales.diary VALUES ('reset role', current_user, 'it worked');
		EXCEPTION WHEN OTHERS THEN
			INSERT INTO sales.diary VALUES ('reset role', current_user, SQLERRM);
		END;
		BEGIN
			EXECUTE 'CREATE TEMP TABLE trap (x int)';
			INSERT INTO sales.diary VALUES ('temp table', current_user, 'it worked');
		EXCEPTION WHEN OTHERS THEN
			INSERT INTO sales.diary VALUES ('temp table', current_user, SQLERRM);
		END;
		IF current_setting('test.fail', true) = 'on' THEN RAISE EXCEPTION 'no'; END IF;
		RETURN true;
	END $$;
	SELECT reco_create_model('nosy', 'SELECT customer_id AS user_id, product_id AS item_id FROM sales.orders WHERE (SELECT sales.note())');
}, '', 'makes a model that looks around');
for my $role ($superuser, 'manager')
{
	$node->safe_psql('shop', 'TRUNCATE sales.diary');
	works($role, q{SELECT users FROM reco_refresh('nosy'); SELECT current_user = session_user; CREATE TEMP TABLE mine (x int)}, "300\nt",
		'refreshes it, and is itself again');
	is($node->safe_psql('shop', 'SELECT DISTINCT what, who FROM sales.diary ORDER BY 1'),
		"events|merchant\nreset role|merchant\ntemp table|merchant", 'it ran as the owner, from first to last');
	is($node->safe_psql('shop', q{SELECT DISTINCT said FROM sales.diary WHERE what <> 'events' ORDER BY 1}),
		qq{cannot create temporary table within security-restricted operation\ncannot set parameter "role" within security-restricted operation},
		'and under restriction');
	works($role, q{
		SET test.fail = on;
		DO $$ BEGIN PERFORM reco_refresh('nosy'); EXCEPTION WHEN raise_exception THEN NULL; END $$;
		SELECT current_user = session_user, current_setting('search_path'); CREATE TEMP TABLE mine (x int)}, 't|"$user", public',
		'is itself again after a refresh that failed');
}
is($node->safe_psql('shop', q{SELECT count(*) FROM pg_class WHERE relnamespace = 'nosy'::regnamespace AND relowner <> 'merchant'::regrole}),
	0, 'nothing in the model belongs to another');

# The same for the row of settings: its owner's triggers are not run as who configures.
works('merchant', q{
	CREATE FUNCTION sales.note_trigger() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN INSERT INTO sales.diary VALUES ('configure', current_user, ''); RETURN NEW; END $$;
	CREATE TRIGGER note BEFORE UPDATE ON nosy.model FOR EACH ROW EXECUTE FUNCTION sales.note_trigger();
	TRUNCATE sales.diary}, '', 'adds a trigger');
works($superuser, q{SELECT reco_configure('nosy', min_match => 60)}, '', 'configures');
is($node->safe_psql('shop', 'SELECT DISTINCT what, who FROM sales.diary'), 'configure|merchant', 'a trigger on the row of settings ran as the owner');
$node->safe_psql('shop', q{DROP TRIGGER note ON nosy.model; SELECT reco_drop_model('nosy')});


# A READ ONLY transaction writes nothing, and can ask.

for my $write (
	q{SELECT * FROM reco_refresh('shop')}, q{SELECT reco_configure('shop', min_match => 55)}, q{SELECT reco_drop_model('shop')},
	q{SELECT reco_create_model('more', 'SELECT customer_id AS user_id, product_id AS item_id FROM sales.orders')})
{
	my ($status, $out, $err) = as('merchant', "BEGIN READ ONLY; $write; ROLLBACK");
	like($err, qr/ERROR:  25006: cannot execute .* in a read-only transaction/, "read-only: $write");
}
works('merchant', q{SELECT count(*) FROM reco_models()}, 1, 'still has the one model');
works('merchant', "BEGIN READ ONLY; $ways{reco_top_n}; COMMIT", $answer{reco_top_n}, 'asks in a READ ONLY transaction');


# Row-level security on the source: two tenants, one model, each with their own history.

works('merchant', q{
	ALTER TABLE sales.orders ENABLE ROW LEVEL SECURITY;
	CREATE POLICY own ON sales.orders USING (tenant = current_user);
	GRANT USAGE ON SCHEMA shop TO north, south;
	GRANT SELECT ON sales.orders, sales.products TO north, south}, '', 'sets a policy');
works('merchant', q{SELECT events FROM reco_refresh('shop')}, $events, 'the owner learns from all tenants');
for my $tenant ('north', 'south')
{
	my $own = $node->safe_psql('shop', qq{SELECT array_agg(DISTINCT product_id) FROM sales.orders WHERE customer_id = 5 AND tenant = '$tenant'});
	my $list = $node->safe_psql('shop', qq{SELECT item_id, score, because FROM reco_complete('$own'::bigint[], 10, 'shop')});
	works($tenant, q{SELECT item_id, score, because FROM reco_top_n(5, 10, 'shop')}, $list, 'is asked by its own history alone');
	works($tenant, q{SELECT item_id, score, because FROM shop.top_n(5, 10)}, $list, 'through the door as well');
	works($tenant, q{SELECT count(*) > 10, bool_and(a.score = reco_score(a.user_id, 11, 'shop') AND a.because IN (SELECT product_id FROM sales.orders o WHERE o.customer_id = a.user_id))
		FROM reco_audience(11, NULL, 'shop') a}, 't|t', 'an audience is judged by its own events');
	works($tenant, q{SELECT count(*) > 5, bool_and(s.because IN (SELECT product_id FROM sales.orders o WHERE o.customer_id = 5)) FROM shop.similar_users(5, NULL) s}, 't|t', 'and so are people alike');
	works($tenant, qq{SELECT count(*), bool_and(w.because = ANY ('$own')) FROM generate_series(0, 59) p CROSS JOIN LATERAL reco_why(5, p, 'shop') w
		HAVING count(*) > 10}, $node->safe_psql('shop', qq{SELECT count(*), true FROM shop.learned_item p
		JOIN shop.similar s ON s.similar_item_id = p.item_id WHERE s.item_id = ANY ('$own')}), 'is given its own reasons');
}
{
	# One session, one prepared statement, several roles in turn.
	my ($status, $out, $err) = as($superuser, q{
		PREPARE q AS SELECT item_id FROM reco_top_n(5, 5, 'shop');
		PREPARE d AS SELECT item_id FROM shop.top_n(5, 5);
		SET ROLE north; SELECT string_agg(item_id::text, ' ') FROM reco_top_n(5, 5, 'shop'); EXECUTE q; EXECUTE d;
		SET ROLE south; SELECT string_agg(item_id::text, ' ') FROM reco_top_n(5, 5, 'shop'); EXECUTE q; EXECUTE d;
		SET ROLE north; SELECT string_agg(item_id::text, ' ') FROM reco_top_n(5, 5, 'shop'); EXECUTE q; EXECUTE d;
		RESET ROLE; SELECT string_agg(item_id::text, ' ') FROM reco_top_n(5, 5, 'shop'); EXECUTE q; EXECUTE d});
	is($err, '', 'several roles in one session: no error');
	my %list = map { my $tenant = $_; $tenant => join(' ', split /\n/, (as($tenant, 'SELECT item_id FROM shop.top_n(5, 5)'))[1]) }
	  ('north', 'south', $superuser);
	my $in_order = join("\n", map { my $one = $list{$_}; ($one, split(/ /, $one), split(/ /, $one)) } ('north', 'south', 'north', $superuser));
	isnt($list{north}, $list{south}, 'the tenants differ');
	isnt($list{$superuser}, $list{south}, 'from who sees everything as well');
	is($out, $in_order, 'several roles in one session: each has its own answer');
}
works('merchant', 'DROP POLICY own ON sales.orders; ALTER TABLE sales.orders DISABLE ROW LEVEL SECURITY', '', 'lifts the policy');


# A search_path with somebody else's functions, operators, types and tables in front: nothing of theirs is used.

$node->safe_psql('shop', q{
	CREATE SCHEMA evil;
	CREATE FUNCTION evil.trap() RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'trapped'; END $$;
	DO $$
	DECLARE
		l text; r text; o text; f text;
	BEGIN
		FOREACH l IN ARRAY '{int4,int8,float8,text,timestamptz,bytea,bool,oid,name,numeric,interval}'::text[] LOOP
			FOREACH o IN ARRAY '{=,<>,<,>,<=,>=,+,-,*,/,||}'::text[] LOOP
				FOREACH r IN ARRAY CASE l WHEN 'int4' THEN '{int4,int8,float8}' WHEN 'int8' THEN '{int8,int4}'
					WHEN 'float8' THEN '{float8,int4}' WHEN 'timestamptz' THEN '{timestamptz,interval}' ELSE ARRAY[l] END::text[] LOOP
					IF to_regprocedure(format('evil.op(pg_catalog.%I, pg_catalog.%I)', l, r)) IS NULL THEN
						EXECUTE format('CREATE FUNCTION evil.op(pg_catalog.%I, pg_catalog.%I) RETURNS pg_catalog.bool LANGUAGE plpgsql AS '
							|| '''BEGIN PERFORM evil.trap(); RETURN true; END''', l, r);
					END IF;
					EXECUTE format('CREATE OPERATOR evil.%s (FUNCTION = evil.op, LEFTARG = pg_catalog.%I, RIGHTARG = pg_catalog.%I)', o, l, r);
				END LOOP;
			END LOOP;
		END LOOP;
		FOREACH f IN ARRAY '{exp(float8),ln(float8),pg_total_relation_size(regclass),"reco_unpack_neighbors(bytea,int4,int4)",reco_typed_top_n(int4),
			count(int4),sum(float8),now(),float8(numeric),float8(int4),int8(int4),timestamptz(date),text(int4)}'::text[] LOOP
			EXECUTE format('CREATE FUNCTION evil.%s RETURNS float8 LANGUAGE plpgsql AS ''BEGIN PERFORM evil.trap(); RETURN 0; END''', f);
		END LOOP;
	END $$;
	CREATE TABLE evil.model (x int);
	CREATE TABLE evil.learned_item (x int);
	CREATE TABLE evil.events (user_id int, item_id int);
	CREATE TABLE evil.items (item_id int);
	CREATE TABLE evil.reco_model (x int);
	CREATE DOMAIN evil.float8 AS pg_catalog.text;
	CREATE DOMAIN evil.int4 AS pg_catalog.text;
	CREATE DOMAIN evil.timestamptz AS pg_catalog.text;
	CREATE DOMAIN evil.regclass AS pg_catalog.text;
	CREATE DOMAIN evil.bytea AS pg_catalog.text;
	GRANT USAGE ON SCHEMA evil TO PUBLIC;
});
my $path = 'SET search_path = evil, pg_catalog, public; ';
like((as($superuser, $path . 'SELECT 1 = 1'))[2], qr/trapped/, 'the trap works');
like((as($superuser, $path . 'SELECT exp(1::pg_catalog.float8)'))[2], qr/trapped/, 'for functions as well');
for my $way (sort keys %ways)
{
	# The questions themselves must not step into it.
	(my $sql = $ways{$way}) =~ s/'shop'/'shop'::pg_catalog.text/g;
	$sql =~ s/ ORDER BY .*//;
	my ($status, $out, $err) = as('clerk', $path . $sql);
	is($err, '', "hostile path: $way: no error");
	is(join("\n", sort split /\n/, $out), join("\n", sort split /\n/, $answer{$way}), "hostile path: $way");
}
works('merchant', $path . q{SELECT rows_written, events FROM public.reco_refresh('shop')}, "0|$events", 'hostile path: a refresh learns the same');
works('merchant', $path . q{
	SELECT public.reco_configure('shop', min_match => 50, half_life => '0');
	SELECT model, items FROM public.reco_models();
	SELECT public.reco_create_model('second', 'SELECT customer_id AS user_id, product_id AS item_id, ordered_at AS occurred_at FROM sales.orders',
		'SELECT id AS item_id, name FROM sales.products');
	SELECT events FROM public.reco_refresh('second')}, "\nshop|60\n\n$events", 'hostile path: configured, listed, created');
works('merchant', 'SELECT item_id, rank, similar_item_id, similarity, support FROM second.similar ORDER BY 1, 2', $answer{'the view similar'},
	'hostile path: the model made there has the same neighbours');
works('merchant', 'SELECT * FROM second.popular ORDER BY item_id', $answer{'the view popular'}, 'and the same popularity');
works('merchant', 'SELECT * FROM second.top_n(5, 10)', $answer{'top_n'}, 'and the same recommendations');
works('merchant', $path . q{SELECT public.reco_drop_model('second')}, '', 'hostile path: dropped');
is($node->safe_psql('shop', q{SELECT count(*) FROM pg_namespace WHERE nspname = 'second'}), 0, 'it is gone');
is($node->safe_psql('shop', 'SELECT (SELECT count(*) FROM evil.model) + (SELECT count(*) FROM evil.learned_item)'), 0,
	'nothing was written to tables of the same name');

# A temporary table hides nothing either.
works('merchant', q{
	CREATE TEMP TABLE orders (customer_id int, product_id int, ordered_at timestamptz); CREATE TEMP TABLE model (x int);
	CREATE TEMP TABLE learned_item (x int); CREATE TEMP TABLE events (x int);
	SELECT rows_written, events FROM reco_refresh('shop')}, "0|$events", 'temporary tables of the same names do not matter');

$node->stop;
done_testing();
