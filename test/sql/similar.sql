-- Similar items: neighbours of one item, of the live catalogue only.
CREATE TABLE wares (id uuid PRIMARY KEY, name text, in_stock boolean DEFAULT true);
INSERT INTO wares SELECT md5('ware ' || n)::uuid, 'ware ' || n FROM generate_series(1, 9) n;
CREATE TABLE buys (buyer uuid, ware uuid);
-- buyers of ware n also buy n + 1 (always), n + 2 (every second), n + 3 (every fourth)
INSERT INTO buys SELECT md5('buyer ' || b)::uuid, md5('ware ' || 1 + (b + step) % 9)::uuid
  FROM generate_series(1, 72) b, generate_series(0, 3) step WHERE step <= 1 OR (step = 2 AND b % 2 = 0) OR (step = 3 AND b % 4 = 0);
SELECT reco_create_model('shop', 'SELECT buyer AS user_id, ware AS item_id FROM buys', 'SELECT id AS item_id, name AS title FROM wares WHERE in_stock');
SELECT reco_configure('shop', similarity => 'cosine', weighting => 'binary');
SELECT events, users, items FROM reco_refresh();
SELECT name, round(similarity::numeric, 6) AS similarity, support
  FROM reco_similar_items(md5('ware 5')::uuid, 4) JOIN wares ON id = item_id ORDER BY similarity DESC, name;
-- the same from the view, and by the door
SELECT count(*) FROM (SELECT similar_item_id, similarity, support FROM shop.similar WHERE item_id = md5('ware 5')::uuid
  EXCEPT SELECT item_id, similarity, support FROM reco_similar_items(md5('ware 5')::uuid, NULL)) differing;
SELECT (SELECT array_agg(s) FROM reco_similar_items(md5('ware 5')::uuid, 3) s) = (SELECT array_agg(s) FROM shop.similar_items(md5('ware 5')::uuid, 3) s) AS same_door;
-- what is not in stock is not shown
UPDATE wares SET in_stock = false WHERE name = 'ware 6';
SELECT count(*) FILTER (WHERE name = 'ware 6') AS gone, count(*) FROM reco_similar_items(md5('ware 5')::uuid, 4) JOIN wares ON id = item_id;
-- an item no one touched, one there is not, none at all
INSERT INTO wares VALUES (md5('untouched')::uuid, 'untouched');
SELECT * FROM reco_similar_items(md5('untouched')::uuid);
SELECT * FROM reco_similar_items(md5('nonsense')::uuid);
SELECT * FROM reco_similar_items(NULL::uuid);
SELECT * FROM reco_similar_items(md5('ware 5')::uuid, 0);
SELECT * FROM reco_similar_items(5);
SELECT * FROM reco_similar_items('5');
SELECT * FROM reco_similar_items('not a uuid'::uuid);
-- kept by target, an item that is nobody's best still has something to show
SELECT reco_configure('shop', neighbors => 1);
SELECT neighbor_pairs > 9 AS more_than_scored FROM reco_refresh();
SELECT count(DISTINCT item_id) FROM shop.similar;
SELECT * FROM reco_unpack_neighbors('', 0, 7);
SELECT * FROM reco_unpack_neighbors('\x52010000', 0, 'a text'::text);
SELECT * FROM reco_unpack_neighbors(NULL, 0, 7);
SELECT reco_drop_model('shop');
DROP TABLE buys, wares;
