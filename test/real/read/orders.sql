-- Reads the wholesaler's orders into a table order_line; some of them, of quantities below 0, take others back.

\set program 'xzcat \'' :data '/online_retail.csv.xz\''
CREATE TABLE order_line (invoice text, stock_code text, description text, quantity int, ordered_at timestamptz, price numeric,
  customer_id int, country text);
COPY order_line FROM PROGRAM :'program' WITH (FORMAT csv, HEADER);
ANALYZE order_line;
