-- Reads a published split, a user a line and then the items, into two tables of (user_id, item_id).  To be set before: split, the
-- folder below data; train and test, the tables.

\set reader ' | perl -lane \'my $user = shift @F; print "$user\\t$_" for @F\''
\set program 'xzcat \'' :data '/' :split '/train.txt.xz\'' :reader
CREATE TABLE :train (user_id int, item_id int);
COPY :train FROM PROGRAM :'program';
\set program 'xzcat \'' :data '/' :split '/test.txt.xz\'' :reader
CREATE TABLE :test (user_id int, item_id int);
COPY :test FROM PROGRAM :'program';
ANALYZE :train, :test;
