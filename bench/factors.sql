-- What pgvector searches in script/bench serve: 64 factors of every item, with an HNSW index as it comes, and those of every
-- user.  psql variable: memory.
SET client_min_messages = warning;
SET maintenance_work_mem = :'memory';
CREATE EXTENSION IF NOT EXISTS vector;
SELECT reco_create_model('factored', 'SELECT user_id, item_id FROM events');
SELECT reco_configure('factored', algorithm => 'factors', factors => 64, weighting => 'binary');
SELECT * FROM reco_refresh('factored');
CREATE TABLE item_factors AS SELECT item_id, factor::vector(64) AS factors FROM factored.item_factor;
CREATE INDEX ON item_factors USING hnsw (factors vector_ip_ops);
CREATE TABLE user_factors AS SELECT user_id, factor::vector(64) AS factors FROM factored.user_factors();
ALTER TABLE user_factors ADD PRIMARY KEY (user_id);
SELECT reco_drop_model('factored');
