-- segments: the surface and every message.
CREATE TABLE product (id int PRIMARY KEY, category text, tags text[]);
INSERT INTO product SELECT n, (ARRAY['tools', 'garden', 'books'])[1 + n % 3], ARRAY['t' || n % 4, NULL] FROM generate_series(0, 29) n;
CREATE TABLE sale (who uuid, what int, at timestamptz);
INSERT INTO sale SELECT md5(u::text)::uuid, CASE WHEN n < 5 THEN u % 3 + 3 * ((u * 7 + n * n) % 10) ELSE (u * 11 + n) % 30 END, '2026-01-01'::timestamptz + n * interval '1 day' FROM generate_series(1, 150) u, generate_series(1, 6) n;
SELECT reco_create_model('bare', 'SELECT who AS user_id, what AS item_id FROM sale');
SELECT reco_create_model('shop', 'SELECT who AS user_id, what AS item_id, at AS occurred_at FROM sale', 'SELECT id AS item_id, category, tags FROM product');
SELECT * FROM reco_segments('shop', by => 'category');
SELECT reco_refresh(m) IS NOT NULL FROM unnest('{bare,shop}'::text[]) m;
SET reco.model = 'shop';
-- an attribute of that name is the category, where no other is set
SELECT * FROM reco_segments('bare');
SELECT segment, users, round(share::numeric, 2) AS share, silhouette > 0.4 AS apart, attributes, cardinality(items) AS items FROM reco_segments();
SELECT count(*), sum(users) FROM shop.segments(2);
SELECT count(*), sum(users), max(silhouette) FROM shop.segments(1);
SELECT count(*), min(users) >= 20 AS none_small FROM reco_segments(k => 20);
-- kept, they have the numbers they had
CREATE TEMP TABLE kept AS SELECT segment + 6 AS segment, centre, attributes FROM reco_segments();
SELECT count(*), bool_and(s.attributes = k.attributes) AS same FROM kept k JOIN reco_segments(keep => (SELECT jsonb_object_agg(segment, centre) FROM kept)) s USING (segment);
SELECT segment FROM reco_segments(k => 2, keep => '{"41": {"no such": 1}}');
-- who belongs to which
SELECT count(*), count(DISTINCT user_id), count(*) FILTER (WHERE best), round(sum(membership)::numeric, 6) AS sum, min(membership) >= 0 AS fine FROM reco_segment_members((SELECT jsonb_object_agg(segment, centre) FROM kept));
SELECT m.segment, round(m.membership::numeric, 3) = round(o.membership::numeric, 3) AS same, m.best FROM shop.segment_members((SELECT jsonb_object_agg(segment, centre) FROM kept)) m JOIN shop.segment_of(md5('1')::uuid, (SELECT jsonb_object_agg(segment, centre) FROM kept)) o USING (segment) WHERE m.user_id = md5('1')::uuid ORDER BY 1;
SELECT segment, best FROM reco_segment_of(md5('2')::uuid, (SELECT jsonb_object_agg(segment, centre) FROM kept)) WHERE best;
SELECT * FROM shop.segment_of(md5('nobody')::uuid, '{"1": {"tools": 1}}');
SELECT * FROM shop.segment_of(NULL, '{"1": {"tools": 1}}');
SELECT * FROM reco_segment_of(42, '{"1": {"tools": 1}}');
SELECT count(*), min(membership) FROM reco_segment_members('{"1": {"t1": 1}}', by => 'tags');
SELECT * FROM reco_segment_members('{}');
-- nobody to tell apart
DELETE FROM sale WHERE who > (SELECT who FROM (SELECT DISTINCT who FROM sale) w ORDER BY who OFFSET 18 LIMIT 1);
SELECT * FROM reco_segments();
DELETE FROM sale;
SELECT * FROM reco_segments(k => 3);
-- what cannot be
SELECT * FROM reco_segments(k => 0);
SELECT * FROM reco_segments(k => 21);
SELECT * FROM reco_segments(by => 'colour');
SELECT * FROM reco_segments('bare', by => 'category');
SELECT * FROM reco_segments(by => 'factors');
SELECT * FROM reco_segment_members('{}', by => 'factors');
SELECT * FROM reco_segments(keep => '[]');
SELECT * FROM reco_segments(keep => '{"one": {}}');
SELECT * FROM reco_segments(keep => '{"0": {}}');
SELECT * FROM reco_segments(keep => '{"1": [1]}');
SELECT * FROM reco_segments(keep => '{"1": {"tools": "much"}}');
SELECT * FROM reco_segments(keep => '{"1": {"tools": 2}}');
SELECT * FROM reco_segment_members(NULL);
SELECT * FROM reco_segment_members('{"1": {"tools": -1}}');
SELECT reco_drop_model(m) FROM unnest('{bare,shop}'::text[]) m;
DROP TABLE product, sale;
