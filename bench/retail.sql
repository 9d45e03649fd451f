-- The order lines of the retail set as events.  psql variable: unpack, a command that prints the file.
CREATE TABLE lines (invoice text, sku text, description text, quantity int, at timestamp, price numeric, customer int, country text);
COPY lines FROM PROGRAM :'unpack' WITH (FORMAT csv, HEADER);
CREATE TABLE events AS SELECT customer AS user_id, sku AS item_id, at::timestamptz AS occurred_at, quantity::real AS weight FROM lines;
DROP TABLE lines;
ANALYZE events;
