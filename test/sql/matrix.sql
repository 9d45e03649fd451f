-- Similar items without a model: the type, its aggregates, and neighbours.
CREATE TABLE buys (who int, what text, n int);
INSERT INTO buys VALUES (1, 'tea', 1), (1, 'milk', 2), (2, 'tea', 1), (2, 'milk', 1), (2, 'jam', 1), (3, 'jam', 1), (3, 'bread', 3),
  (4, 'jam', 2), (4, 'bread', 1), (4, 'tea', 1), (1, 'tea', 2);
SELECT reco_matrix(who, what, n) FROM buys;
SELECT reco_matrix(who, what, n) FROM buys WHERE false;
SELECT reco_matrix(who, what, n) FROM (VALUES (NULL, 'tea', 1), (1, NULL, 1), (1, 'tea', NULL), (2, 'milk', 1)) v(who, what, n);
SELECT item_id, rank, similar_item_id, round(similarity::numeric, 6) AS similarity, support
  FROM reco_neighbors((SELECT reco_matrix(who, what, 1) FROM buys), 2, weighting => 'binary');
SELECT item_id, similar_item_id, round(similarity::numeric, 6) AS similarity, support
  FROM reco_neighbors((SELECT reco_matrix(who, what, n) FROM buys), similarity => 'jaccard', min_support => 1, k => 1);
-- typed ids
SELECT pg_typeof(item_id) FROM reco_neighbors(NULL::bigint, (SELECT reco_matrix(what, who, n) FROM buys), 1) LIMIT 1;
SELECT pg_typeof(item_id) FROM reco_neighbors(NULL::smallint, (SELECT reco_matrix(what, who, n) FROM buys), 1) LIMIT 1;
SELECT pg_typeof(item_id) FROM reco_neighbors((SELECT reco_matrix(what, who, n) FROM buys), 1) LIMIT 1;
SELECT * FROM reco_neighbors(NULL::uuid, (SELECT reco_matrix(who, what, n) FROM buys), 1);
SELECT * FROM reco_neighbors(NULL::bigint, (SELECT reco_matrix(who, what, n) FROM buys), 1);
SELECT * FROM reco_neighbors(NULL::smallint, (SELECT reco_matrix(1 + x / 3, 40000 + x % 3, 1) FROM generate_series(0, 8) x), 1);
-- parts merge to the whole
SELECT (SELECT reco_matrix_merge(m)::text FROM (SELECT reco_matrix(who, what, n) AS m FROM buys GROUP BY who) parts) = reco_matrix(who, what, n)::text AS equal FROM buys;
SELECT reco_matrix_merge('{"user": "text", "item": "bigint", "cells": [["a", 1, 1], ["b", 2, 1]]}', '{"user": "text", "item": "bigint", "cells": [["a", 1, 0.5]]}');
SELECT reco_matrix_merge(NULL, NULL), reco_matrix_merge('{"user": "text", "item": "text", "cells": []}', NULL);
SELECT reco_matrix_merge('{"user": "text", "item": "text", "cells": []}', '{"user": "text", "item": "bigint", "cells": []}');
-- text in and out
SELECT '{"cells": [[1, "a\"b\\c é", 2], [-9223372036854775808, "", 1e-300]], "item": "text", "user": "bigint"}'::reco_matrix;
SELECT '{"user": "uuid", "item": "uuid", "cells": [["C0FFEE00-0000-0000-0000-000000000000", "c0ffee00000000000000000000000001", 1]]}'::reco_matrix;
SELECT ''::reco_matrix;
SELECT '[]'::reco_matrix;
SELECT '{}'::reco_matrix;
SELECT '{"user": "text", "item": "numeric", "cells": []}'::reco_matrix;
SELECT '{"user": "text", "item": "text", "cells": [["a", "b"]]}'::reco_matrix;
SELECT '{"user": "text", "item": "text", "cells": [["a", 1, 1]]}'::reco_matrix;
SELECT '{"user": "text", "item": "text", "cells": [["a", "b", "c"]]}'::reco_matrix;
SELECT '{"user": "bigint", "item": "text", "cells": [[1e30, "b", 1]]}'::reco_matrix;
SELECT '{"user": "bigint", "item": "text", "cells": [[1, "b", 1e400]]}'::reco_matrix;
SELECT '{"user": "uuid", "item": "text", "cells": [["x", "b", 1]]}'::reco_matrix;
-- bad input
SELECT reco_matrix(n, 1.5, 1) FROM buys;
SELECT reco_matrix(who, 'tea', 1) FROM buys;
SELECT reco_matrix(who, what, 'NaN') FROM buys;
SELECT reco_matrix(who, what, '-Infinity') FROM buys;
SELECT reco_matrix_add(NULL, 1, 2, 3);
SELECT * FROM reco_neighbors(NULL);
SELECT * FROM reco_neighbors((SELECT reco_matrix(who, what, n) FROM buys), 0);
SELECT * FROM reco_neighbors((SELECT reco_matrix(who, what, n) FROM buys), similarity => 'sine');
SELECT * FROM reco_neighbors((SELECT reco_matrix(who, what, n) FROM buys), keep => 'all');
SELECT * FROM reco_neighbors((SELECT reco_matrix(who, what, -n) FROM buys));
-- stored, and a materialized view over it
CREATE TABLE shards (day date, m reco_matrix);
INSERT INTO shards SELECT '2026-01-01'::date + who, reco_matrix(who, what, n) FROM buys GROUP BY who;
SELECT reco_matrix_merge(m) FROM shards;
-- sorted while it is still being gathered
SELECT sum(length(m::text)) > 0 AS sorted FROM (SELECT who % 2 AS half, reco_matrix(who, what, n) AS m FROM buys GROUP BY 1 ORDER BY count(*)) s;
CREATE TABLE halves AS SELECT who % 2 AS half, reco_matrix(who, what, n) AS m FROM buys GROUP BY 1 ORDER BY count(*), 1;
SELECT half, m FROM halves;
DROP TABLE halves;
CREATE MATERIALIZED VIEW also_bought AS
  SELECT item_id, similar_item_id, round(similarity::numeric, 4) AS similarity, support
  FROM reco_neighbors((SELECT reco_matrix(who, what, 1) FROM buys), 1, weighting => 'binary');
SELECT * FROM also_bought;
INSERT INTO buys SELECT w, x, 1 FROM generate_series(10, 19) w, (VALUES ('bread'), ('tea')) v(x);
REFRESH MATERIALIZED VIEW also_bought;
SELECT * FROM also_bought;
DROP MATERIALIZED VIEW also_bought;
DROP TABLE shards, buys;
