-- `reco_segment_members`, every customer in five segments, those learned first
WITH s AS MATERIALIZED (SELECT jsonb_object_agg(segment, centre) AS centres FROM retail.segments(5))
SELECT 'rows=' || count(*) FROM s, retail.segment_members(centres);
