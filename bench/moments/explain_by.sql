-- `reco_explain_by` what makes a line a large one, every line
SELECT 'rows=' || sum(rows) FROM reco_explain_by('SELECT quantity > 20 AS large, extract(hour FROM ordered_at) AS hour, extract(isodow FROM ordered_at) AS weekday, country, price FROM order_line WHERE customer_id IS NOT NULL', 'large');
