-- damage: every bit of a matrix as it is sent, and of a stored row of neighbours, changed; every length cut off.

BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;

CREATE FUNCTION pg_temp.flip(bytes bytea, at int) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$ SELECT set_bit(bytes, at, 1 - get_bit(bytes, at)) $$;

-- What a statement says: its answer as one text, or its SQLSTATE and message.
CREATE FUNCTION pg_temp.answer(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE said text;
BEGIN
  EXECUTE format('SELECT coalesce(string_agg(r::text, '' ''), ''nothing'') FROM (%s) r', statement) INTO said;
  RETURN said;
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE || ' ' || SQLERRM;
END $$;

/*
 * A matrix from the wire: bytes go to a file as a bytea and come back as a matrix, which COPY reads by reco_matrix_recv.
 * NULL where they were taken and the functions of the type work on them.
 */
CREATE TEMP TABLE wire (bytes bytea);
CREATE TEMP TABLE received (m reco_matrix);
CREATE FUNCTION pg_temp.receive(image bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE file text := format('%s/reco_damage_%s.copy', current_setting('data_directory'), pg_backend_pid());
BEGIN
  TRUNCATE wire;
  INSERT INTO wire VALUES (image);
  EXECUTE format('COPY wire TO %L (FORMAT binary)', file);
  EXECUTE format('COPY received FROM %L (FORMAT binary)', file);
  PERFORM m::text::reco_matrix, reco_matrix_send(reco_matrix_merge(m, m)) FROM received;
  PERFORM n.* FROM received, reco_neighbors(m, min_support => 1) n;
  DELETE FROM received;
  RETURN NULL;
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE || ' ' || SQLERRM;
END $$;

CREATE TEMP TABLE sent AS
  SELECT 'integer' AS name, reco_matrix_send(reco_matrix(u, i, u + i)) AS image FROM generate_series(1, 3) u, generate_series(1, 2) i
  UNION ALL SELECT 'text', reco_matrix_send(reco_matrix('u' || u, 'ü' || i, 1)) FROM generate_series(1, 2) u, generate_series(1, 2) i
  UNION ALL SELECT 'uuid', reco_matrix_send(reco_matrix(u, (lpad(u::text, 8, '0') || '-0000-4000-8000-000000000000')::uuid, -1)) FROM generate_series(1, 2) u;
SELECT is(pg_temp.receive(image), NULL, name || ': whole, it is taken') FROM sent;
SELECT is((SELECT string_agg(DISTINCT coalesce(pg_temp.receive(substr(image, 1, length)), 'taken'), '; ') FROM generate_series(0, octet_length(image) - 1) length),
          'XX001 value of type reco_matrix is damaged', name || ': refused at each of ' || octet_length(image) || ' lengths') FROM sent;
SELECT is((SELECT string_agg(DISTINCT coalesce(pg_temp.receive(pg_temp.flip(image, place)), 'taken'), '; ') FROM generate_series(0, 8 * octet_length(image) - 1) place),
          'XX001 value of type reco_matrix is damaged', name || ': refused with each of ' || 8 * octet_length(image) || ' bits changed') FROM sent;
SELECT is(pg_temp.receive(image || more), 'XX001 value of type reco_matrix is damaged', name || ': refused with ' || octet_length(more) || ' bytes too many')
FROM sent, unnest(ARRAY['\x00', decode(repeat('ab', 4000), 'hex')]) more;

/*
 * Bytes with the right sum that no reco wrote: the sum is that of math/hash.h, in the arithmetic of plpgsql.
 */
CREATE FUNCTION pg_temp.wrap(x numeric) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT (CASE WHEN m >= 9223372036854775808 THEN m - 18446744073709551616 ELSE m END)::bigint FROM (SELECT x - 18446744073709551616 * floor(x / 18446744073709551616)) v(m)
$$;
CREATE FUNCTION pg_temp.right_by(x bigint, bits int) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$ SELECT (x >> bits) & ((1::bigint << (64 - bits)) - 1) $$;
CREATE FUNCTION pg_temp.mix(x bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  x := x # pg_temp.right_by(x, 30);
  x := pg_temp.wrap(x::numeric * -4658895280553007687);  -- 0xbf58476d1ce4e5b9
  x := x # pg_temp.right_by(x, 27);
  x := pg_temp.wrap(x::numeric * -7723592293110705685);  -- 0x94d049bb133111eb
  RETURN x # pg_temp.right_by(x, 31);
END $$;
CREATE FUNCTION pg_temp.hash(bytes bytea) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  golden numeric := -7046029254386353131;  -- 0x9e3779b97f4a7c15
  h bigint := pg_temp.mix(pg_temp.wrap(octet_length(bytes) + golden));
  word bigint;
BEGIN
  FOR piece IN 0 .. (octet_length(bytes) + 7) / 8 - 1 LOOP
    word := 0;
    FOR b IN 0 .. least(7, octet_length(bytes) - 8 * piece - 1) LOOP
      word := word | (get_byte(bytes, 8 * piece + b)::bigint << (8 * b));
    END LOOP;
    h := pg_temp.wrap(pg_temp.mix(h # word)::numeric + golden);
  END LOOP;
  RETURN pg_temp.mix(h);
END $$;
CREATE FUNCTION pg_temp.little(x bigint, width int) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
  SELECT string_agg(set_byte('\x00', 0, (x >> (8 * b) & 255)::int), '' ORDER BY b) FROM generate_series(0, width - 1) b
$$;
CREATE FUNCTION pg_temp.summed(image bytea) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
  SELECT overlay(image placing pg_temp.little((pg_temp.hash(substr(image, 1, 12)) # pg_temp.hash(substr(image, 17))) & 4294967295, 4) from 13)
$$;
SELECT is(pg_temp.summed(overlay(image placing '\x00000000' from 13)), image, name || ': the sum is the one of its bytes') FROM sent;

/* The matrix integer: users at 24, items at 48, counts at 64, items of cells at 76, weights at 100. */
CREATE FUNCTION pg_temp.forged(place int, bytes bytea, which text DEFAULT 'integer') RETURNS text LANGUAGE sql AS $$
  SELECT pg_temp.receive(pg_temp.summed(overlay(image placing bytes from place + 1))) FROM sent WHERE name = which
$$;
SELECT is(octet_length(image), 148, 'three users of two items in 148 bytes') FROM sent WHERE name = 'integer';
SELECT is(pg_temp.forged(place, bytes), 'XX001 value of type reco_matrix is damaged', what)
FROM (VALUES
  (0, '\x6d'::bytea, 'another letter'), (1, '\x00', 'version 0'), (1, '\x02', 'a version to come'), (2, '\x03', 'an unknown kind of users'), (3, '\xff', 'an unknown kind of items'),
  (4, pg_temp.little(4294967295, 4), 'more users than bytes'), (8, pg_temp.little(4294967295, 4), 'more items than bytes'), (4, pg_temp.little(0, 4), 'no users'),
  (16, pg_temp.little(-1, 8), '2 ^ 64 - 1 cells'), (16, pg_temp.little(1::bigint << 62, 8), '2 ^ 62 cells'), (16, pg_temp.little(5, 8), 'a cell too few'),
  (32, pg_temp.little(1, 8), 'a user twice'), (56, pg_temp.little(1, 8), 'an item twice'), (64, pg_temp.little(3, 4), 'a user with too many cells'),
  (64, pg_temp.little(4294967295, 4), 'a user with 2 ^ 32 - 1 cells'), (76, pg_temp.little(2, 4), 'a cell of no item'), (76, pg_temp.little(1, 4), 'a cell twice'),
  (100, pg_temp.little(9221120237041090560, 8), 'a weight that is NaN'), (100, pg_temp.little(9218868437227405312, 8), 'an infinite weight')) v(place, bytes, what);
/* The matrix text: lengths of users at 24, 28, their bytes at 32, 34; lengths of items at 36, 40, their bytes at 44 and 47. */
SELECT is(pg_temp.forged(place, bytes, 'text'), wanted, what)
FROM (VALUES
  (24, pg_temp.little(4294967295, 4), 'XX001 value of type reco_matrix is damaged', 'a text of 4 GB'),
  (32, '\x7532'::bytea, 'XX001 value of type reco_matrix is damaged', 'a text twice'),
  (44, '\xc328', '22021 invalid byte sequence for encoding "UTF8": 0xc3 0x28', 'a text that is none'),
  (33, '\x00', '22021 invalid byte sequence for encoding "UTF8": 0x00', 'a text with a zero')) v(place, bytes, wanted, what);
SELECT is((SELECT count(*) FROM received), 0::bigint, 'nothing was left behind');

/*
 * A stored row of neighbours. Twelve users over eight items; item 4 has three neighbours that count and one only shown. All but the
 * supports is read by every question, the supports by what shows them; what does not read a byte answers as before.
 */
CREATE TABLE plays AS SELECT u, i FROM generate_series(1, 12) u, generate_series(1, 8) i WHERE (u * 5 + i * 3) % 7 < 3 OR i = u % 8 + 1;
SELECT reco_create_model('music', 'SELECT u AS user_id, i AS item_id FROM plays');
SELECT reco_configure('music', similarity => 'cosine', neighbors => 4, keep => 'target');
SELECT is((SELECT items FROM reco_refresh('music')), 8::bigint, 'a small model');

CREATE TEMP TABLE stored AS SELECT neighbors FROM music.learned_item WHERE item_id = 4;
CREATE TEMP TABLE question (name text, statement text, shows_support boolean);
INSERT INTO question SELECT name, replace(statement, '$u', (SELECT min(u) FROM plays WHERE i = 4)::text), shows FROM (VALUES
  ('reco_top_n', 'SELECT * FROM reco_top_n($u, 3, ''music'', fallback => false)', false),
  ('reco_similar_items', 'SELECT * FROM reco_similar_items(4, 9, ''music'')', true),
  ('the view similar', 'SELECT * FROM music.similar ORDER BY item_id, rank', true),
  ('reco_why', 'SELECT * FROM reco_why($u, (SELECT item_id FROM music.similar WHERE similar_item_id <> 4 LIMIT 1), ''music'')', false),
  ('reco_match', 'SELECT sum(reco_match($u, i, ''music'')) FROM generate_series(1, 8) i', false),
  ('reco_top_n_all', 'SELECT * FROM reco_top_n_all(3, ''music'', fallback => false) ORDER BY 1, 2', false)) v(name, statement, shows);
UPDATE question SET statement = 'SELECT * FROM reco_why(' || (SELECT min(u) FROM plays WHERE i = 4) || ', ' || i || ', ''music'')'
FROM (SELECT min(s.item_id) AS i FROM music.similar f JOIN music.similar s ON s.item_id = f.similar_item_id WHERE f.item_id = 4) t WHERE name = 'reco_why';
CREATE TEMP TABLE before AS SELECT name, pg_temp.answer(statement) AS said FROM question;
SELECT doesnt_match(said, '^XX', name || ': answers before') FROM before;
SELECT isnt(said, 'nothing', name || ': with something') FROM before WHERE name NOT IN ('reco_why', 'reco_match');

-- What the questions say of other bytes in the row, those that are wrong only: name and answer.
CREATE FUNCTION pg_temp.wrong(damaged bytea, reads_all boolean) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  UPDATE music.learned_item SET neighbors = damaged WHERE item_id = 4;
  RETURN QUERY SELECT q.name || ': ' || a.said FROM question q, LATERAL (SELECT pg_temp.answer(q.statement)) a(said) JOIN before b ON true
    WHERE b.name = q.name AND CASE WHEN reads_all OR q.shows_support THEN a.said !~ '^XX001 the neighbours of item 4 .*are damaged$' ELSE a.said <> b.said END;
END $$;

/* The supports begin after 24 + 8 n bytes; n is in the byte at 16. */
CREATE TEMP TABLE row_of AS SELECT neighbors, octet_length(neighbors) AS length, 24 + 8 * get_byte(neighbors, 16) AS supports FROM stored;
SELECT cmp_ok(length, '>', supports, 'the row has supports') FROM row_of;
SELECT is_empty('SELECT place, pg_temp.wrong(pg_temp.flip(neighbors, place), place < 8 * supports) FROM row_of, generate_series(0, 8 * length - 1) place',
  format('each of %s bits of a row changed: an error that names the item', 8 * length)) FROM row_of;
SELECT is_empty('SELECT byte, value, pg_temp.wrong(set_byte(neighbors, byte, value), byte < supports)
  FROM row_of, generate_series(0, length - 1) byte, unnest(ARRAY[0, 85, 127, 128, 255]) value WHERE get_byte(neighbors, byte) <> value',
  format('each of %s bytes of a row replaced: an error that names the item', length)) FROM row_of;
SELECT is_empty('SELECT l, pg_temp.wrong(substr(neighbors, 1, l), l < supports + get_byte(neighbors, 16)) FROM row_of, generate_series(0, length - 1) l',
  format('each of %s lengths of a row: an error that names the item', length)) FROM row_of;
SELECT is_empty('SELECT pg_temp.wrong(neighbors || ''\x01'', false) FROM row_of', 'a byte too many: said by what shows supports');
SELECT is_empty('SELECT pg_temp.wrong((SELECT neighbors FROM music.learned_item WHERE item_id = 5), true) FROM row_of',
  'the row of another item: an error that names the item');

/* The row of the item whose number is 0: a row that was not opened at all has that number, too. */
UPDATE music.learned_item SET neighbors = (SELECT neighbors FROM stored) WHERE item_id = 4;
CREATE FUNCTION pg_temp.first_row(place int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE whole bytea; said text;
BEGIN
  SELECT neighbors INTO STRICT whole FROM music.learned_item WHERE item_no = 0;
  UPDATE music.learned_item SET neighbors = pg_temp.flip(whole, place) WHERE item_no = 0;
  SELECT pg_temp.answer(format('SELECT * FROM reco_top_n(%s, 3, ''music'', fallback => false)', u)) INTO said
    FROM plays JOIN music.learned_item ON item_id = i AND item_no = 0 ORDER BY u LIMIT 1;
  UPDATE music.learned_item SET neighbors = whole WHERE item_no = 0;
  RETURN said;
END $$;
SELECT is_empty($$SELECT place, pg_temp.first_row(place) FROM generate_series(0, 31) place WHERE pg_temp.first_row(place) !~ '^XX001 the neighbours of item [0-9]+ .*are damaged$'$$,
  'letter, version and sum of the row of number 0 changed: an error that names the item');

/*
 * How many items the model says it has, by which whoever asks takes memory: at most a million more than three for each of the
 * shortest rows that the pages of its table hold.  A row has 23 bytes before it, which are made 24, and 4 that point to it;
 * a page has 24 of its own.
 */
CREATE FUNCTION pg_temp.claiming(slots bigint) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  UPDATE music.model SET item_slots = slots;
  RETURN pg_temp.answer('SELECT * FROM reco_top_n(4, 3, ''music'')');
END $$;
CREATE TEMP TABLE room AS
  SELECT 1000000 + pg_relation_size('music.learned_item') / page * ((page - 24) / 28) * 3 AS most FROM (SELECT current_setting('block_size')::int) b(page);
CREATE TEMP TABLE true_answer AS SELECT pg_temp.claiming(item_slots) AS said FROM music.model;
SELECT matches(said, '^\(.*personal', 'a list by the number of items there are') FROM true_answer;
SELECT is(pg_temp.claiming(most), said, 'the same by the greatest number the table has room for') FROM room, true_answer;
SELECT is(pg_temp.claiming(slots), 'XX001 the number of items of model "music" is damaged', format('%s items are more than it has room for', slots))
FROM (SELECT most + 1 FROM room UNION ALL VALUES (2147483647), (-1), (NULL)) v(slots);
TRUNCATE music.learned_item;
SELECT unalike(pg_temp.claiming(1000000), 'XX%', 'a table that was emptied by hand is asked as before');
SELECT is(pg_temp.claiming(1000001), 'XX001 the number of items of model "music" is damaged', 'unless what is said of it would cost much');

SELECT * FROM finish();
ROLLBACK;
