-- A small shop to try reco on: 2,500 customers, some 340 products, two years of orders, page views and ratings.
--
--     psql -f examples/shop.sql
--
-- It makes five ordinary tables in the current schema: customers, products, orders, page_views and ratings. Nothing is
-- left to chance: every "random" choice is a hash of row numbers, so all who load it have the same shop. Times count back
-- from this morning, so nothing lies in the future and the newest orders are fresh whenever it is loaded.

BEGIN;
SET LOCAL client_min_messages = warning;

CREATE TABLE customers (
  id    int PRIMARY KEY,
  name  text NOT NULL,
  city  text NOT NULL,
  born  int NOT NULL
);
CREATE TABLE products (
  id           int PRIMARY KEY,
  name         text NOT NULL UNIQUE,
  category     text NOT NULL,
  tags         text[] NOT NULL,
  price        numeric NOT NULL,
  in_stock     boolean NOT NULL,
  released_at  date NOT NULL
);
CREATE TABLE orders (
  customer_id  int NOT NULL,
  product_id   int NOT NULL,
  ordered_at   timestamptz NOT NULL,
  quantity     int NOT NULL
);
CREATE TABLE page_views (
  visitor_id  int NOT NULL,
  product_id  int NOT NULL,
  seen_at     timestamptz NOT NULL
);
CREATE TABLE ratings (
  customer_id  int NOT NULL,
  product_id   int NOT NULL,
  thumb        smallint NOT NULL CHECK (thumb IN (-1, 1)),
  rated_at     timestamptz NOT NULL
);

-- A die with as many faces as it takes: the same two numbers always fall on the same value in 0..1.
CREATE FUNCTION pg_temp.dice(throw bigint, game bigint) RETURNS float8 LANGUAGE sql IMMUTABLE AS
$$ SELECT (hashint8extended(throw, game) & 9007199254740991) / 9007199254740992.0::float8 $$;


-- What the shop sells. The tags say who buys a thing, and they cut across the categories: a pour-over person wants a
-- dripper, a scale and a book. refill: days until it is used up and bought again. season: the months it sells in.

CREATE TEMP TABLE shelf (
  id        int GENERATED ALWAYS AS IDENTITY,
  category  text,
  name      text,
  price     numeric,
  tags      text,
  refill    int,
  season    text
) ON COMMIT DROP;

INSERT INTO shelf (category, name, price, tags, refill, season) VALUES
('Coffee', 'Ethiopia Yirgacheffe Beans 500 g', 14.90, 'pour-over', 24, NULL),
('Coffee', 'Kenya Nyeri Light Roast 250 g', 11.50, 'pour-over', 20, NULL),
('Coffee', 'Guatemala Huehuetenango Filter Roast 500 g', 13.90, 'pour-over', 24, NULL),
('Coffee', 'Rwanda Natural Process Beans 250 g', 12.20, 'pour-over', 20, NULL),
('Coffee', 'Panama Geisha Beans 100 g', 24.00, 'pour-over', NULL, NULL),
('Coffee', 'Napoli Espresso Blend 1 kg', 19.90, 'espresso', 28, NULL),
('Coffee', 'Brazil Santos Espresso Beans 1 kg', 17.50, 'espresso', 28, NULL),
('Coffee', 'Decaf Colombia Beans 500 g', 13.50, 'espresso pour-over', 30, NULL),
('Coffee', 'Monsooned Malabar Dark Roast 500 g', 12.90, 'espresso', 26, NULL),
('Coffee', 'V60 Dripper Size 02', 9.90, 'pour-over', NULL, NULL),
('Coffee', 'V60 Paper Filters Size 02, 100 pack', 5.50, 'pour-over', 60, NULL),
('Coffee', 'Flat Bottom Dripper, Steel', 34.00, 'pour-over', NULL, NULL),
('Coffee', 'Wave Paper Filters, 100 pack', 7.90, 'pour-over', 60, NULL),
('Coffee', 'Glass Server 600 ml', 18.50, 'pour-over', NULL, NULL),
('Coffee', 'Gooseneck Kettle 0.9 l', 59.00, 'pour-over tea', NULL, NULL),
('Coffee', 'Hand Grinder with Steel Burrs', 89.00, 'pour-over camping', NULL, NULL),
('Coffee', 'Electric Burr Grinder', 149.00, 'espresso pour-over', NULL, NULL),
('Coffee', 'Lever Espresso Maker', 349.00, 'espresso', NULL, NULL),
('Coffee', 'Stovetop Moka Pot, 6 Cups', 32.00, 'espresso', NULL, NULL),
('Coffee', 'Moka Pot Gasket Set', 4.50, 'espresso', NULL, NULL),
('Coffee', 'Espresso Tamper 58 mm', 29.00, 'espresso', NULL, NULL),
('Coffee', 'Bottomless Portafilter', 49.00, 'espresso', NULL, NULL),
('Coffee', 'Milk Frothing Pitcher 350 ml', 16.90, 'espresso', NULL, NULL),
('Coffee', 'Knock Box, Beech', 24.50, 'espresso', NULL, NULL),
('Coffee', 'Espresso Machine Descaler 250 ml', 8.90, 'espresso', 75, NULL),
('Coffee', 'Cold Brew Maker 1 l', 27.00, 'pour-over', NULL, 'summer'),
('Coffee', 'Travel Coffee Press', 31.00, 'camping pour-over', NULL, NULL),
('Coffee', 'Espresso Cups, Set of 4', 26.00, 'espresso hosting', NULL, NULL),
('Tea', 'Darjeeling First Flush 100 g', 12.50, 'tea', 35, NULL),
('Tea', 'Sencha Green Tea 100 g', 10.90, 'tea', 35, NULL),
('Tea', 'Earl Grey Loose Leaf 250 g', 9.90, 'tea', 40, NULL),
('Tea', 'Genmaicha with Roasted Rice 100 g', 8.90, 'tea', 35, NULL),
('Tea', 'Ceremonial Matcha 30 g', 27.00, 'tea yoga', 30, NULL),
('Tea', 'Bamboo Matcha Whisk', 14.50, 'tea', NULL, NULL),
('Tea', 'Matcha Bowl, Speckled', 22.00, 'tea', NULL, NULL),
('Tea', 'Oolong Milky Leaves 100 g', 13.90, 'tea', 35, NULL),
('Tea', 'Lapsang Souchong 100 g', 9.50, 'tea', 45, NULL),
('Tea', 'Peppermint Leaves 75 g', 5.90, 'tea yoga', 30, NULL),
('Tea', 'Chamomile Flowers 60 g', 5.50, 'tea yoga baby', 30, NULL),
('Tea', 'Rooibos Vanilla 200 g', 8.50, 'tea', 35, NULL),
('Tea', 'Winter Spice Tea 150 g', 8.90, 'tea cosy', NULL, 'winter'),
('Tea', 'Cast Iron Teapot 0.8 l', 48.00, 'tea', NULL, NULL),
('Tea', 'Glass Teapot with Strainer', 29.00, 'tea', NULL, NULL),
('Tea', 'Tea Filter Bags, 200 pack', 4.90, 'tea', 70, NULL),
('Tea', 'Tea Tin with Lid 150 g', 7.50, 'tea', NULL, NULL),
('Tea', 'Chai Spice Mix 120 g', 7.90, 'tea baking', 40, NULL),
('Kitchen', 'Kitchen Scale 0.1 g', 39.00, 'pour-over espresso baking', NULL, NULL),
('Kitchen', 'Chef''s Knife 20 cm', 79.00, 'cooking', NULL, NULL),
('Kitchen', 'Paring Knife 9 cm', 19.90, 'cooking', NULL, NULL),
('Kitchen', 'Whetstone 1000/3000', 34.00, 'cooking', NULL, NULL),
('Kitchen', 'End Grain Chopping Board', 65.00, 'cooking', NULL, NULL),
('Kitchen', 'Carbon Steel Pan 28 cm', 49.00, 'cooking', NULL, NULL),
('Kitchen', 'Cast Iron Casserole 5 l', 129.00, 'cooking baking', NULL, NULL),
('Kitchen', 'Carbon Steel Wok 32 cm', 44.00, 'cooking', NULL, NULL),
('Kitchen', 'Bamboo Steamer, Two Tiers', 22.50, 'cooking', NULL, NULL),
('Kitchen', 'Instant Read Thermometer', 24.90, 'cooking baking', NULL, NULL),
('Kitchen', 'Microplane Grater', 21.00, 'cooking baking', NULL, NULL),
('Kitchen', 'Pasta Machine', 69.00, 'cooking', NULL, NULL),
('Kitchen', 'Mortar and Pestle, Granite', 32.00, 'cooking', NULL, NULL),
('Kitchen', 'Pepper Mill, Walnut', 36.00, 'cooking hosting', NULL, NULL),
('Kitchen', 'Silicone Spatula Set', 14.90, 'cooking baking', NULL, NULL),
('Kitchen', 'Salad Spinner', 23.00, 'cooking', NULL, NULL),
('Kitchen', 'Preserving Jars 0.5 l, 6 pack', 15.90, 'cooking gardening', NULL, 'summer'),
('Kitchen', 'Ice Lolly Moulds', 12.50, 'toddler', NULL, 'summer'),
('Kitchen', 'Fondue Set', 64.00, 'hosting cosy', NULL, 'winter'),
('Kitchen', 'Raclette Grill for 8', 89.00, 'hosting', NULL, 'winter'),
('Kitchen', 'Wine Decanter 1.5 l', 39.00, 'hosting', NULL, NULL),
('Kitchen', 'Waiter''s Corkscrew', 14.00, 'hosting camping', NULL, NULL),
('Kitchen', 'Linen Napkins, Set of 6', 42.00, 'hosting', NULL, NULL),
('Kitchen', 'Oak Serving Board', 34.00, 'hosting cooking', NULL, NULL),
('Kitchen', 'Stoneware Dinner Plates, Set of 4', 56.00, 'hosting', NULL, NULL),
('Kitchen', 'Cocktail Shaker Set', 38.00, 'hosting', NULL, NULL),
('Baking', 'Banneton Proofing Basket 1 kg', 17.90, 'baking', NULL, NULL),
('Baking', 'Dough Scraper', 4.90, 'baking', NULL, NULL),
('Baking', 'Bread Lame with 10 Blades', 11.90, 'baking', NULL, NULL),
('Baking', 'Sourdough Starter Jar', 13.50, 'baking', NULL, NULL),
('Baking', 'Strong Bread Flour 5 kg', 11.90, 'baking', 30, NULL),
('Baking', 'Stoneground Rye Flour 2 kg', 7.40, 'baking', 32, NULL),
('Baking', 'Spelt Flour 2 kg', 6.90, 'baking', 32, NULL),
('Baking', 'Baking Steel 40 x 35 cm', 79.00, 'baking', NULL, NULL),
('Baking', 'Pizza Peel, Aluminium', 27.00, 'baking', NULL, NULL),
('Baking', 'Tipo 00 Pizza Flour 5 kg', 12.50, 'baking cooking', 35, NULL),
('Baking', 'Loaf Tin 900 g', 14.50, 'baking', NULL, NULL),
('Baking', 'Springform Tin 26 cm', 16.90, 'baking', NULL, NULL),
('Baking', 'Muffin Tin, 12 Cups', 15.50, 'baking toddler', NULL, NULL),
('Baking', 'Parchment Sheets, 50 pack', 5.90, 'baking', 60, NULL),
('Baking', 'Stand Mixer 4.8 l', 399.00, 'baking', NULL, NULL),
('Baking', 'Rolling Pin, Maple', 18.00, 'baking', NULL, NULL),
('Baking', 'Vanilla Pods, 5 pack', 12.90, 'baking', 80, NULL),
('Baking', 'Dark Chocolate Couverture 1 kg', 16.50, 'baking', 60, NULL),
('Baking', 'Christmas Cookie Cutters, 12 pack', 13.90, 'baking toddler cosy', NULL, 'winter'),
('Pantry', 'Extra Virgin Olive Oil 1 l', 16.90, 'cooking', 45, NULL),
('Pantry', 'Flaky Sea Salt 250 g', 4.90, 'cooking baking', 90, NULL),
('Pantry', 'Tellicherry Peppercorns 200 g', 8.90, 'cooking', 90, NULL),
('Pantry', 'San Marzano Tomatoes, 6 Tins', 13.50, 'cooking', 40, NULL),
('Pantry', 'Arborio Rice 1 kg', 5.90, 'cooking', 60, NULL),
('Pantry', 'Bronze Cut Spaghetti 1 kg', 4.50, 'cooking', 30, NULL),
('Pantry', 'Gochujang Chilli Paste 500 g', 6.90, 'cooking', 70, NULL),
('Pantry', 'Soy Sauce, Aged in Cedar 500 ml', 9.90, 'cooking', 70, NULL),
('Pantry', 'Aged Balsamic Vinegar 250 ml', 18.90, 'cooking hosting', NULL, NULL),
('Pantry', 'Wildflower Honey 500 g', 8.90, 'tea baking', 60, NULL),
('Pantry', 'Crunchy Peanut Butter 1 kg', 10.90, 'running toddler', 35, NULL),
('Pantry', 'Rolled Oats 2 kg', 5.20, 'running baby', 30, NULL),
('Pantry', 'Mulled Wine Spices', 4.50, 'hosting cosy', NULL, 'winter'),
('Pantry', 'Elderflower Cordial 500 ml', 6.90, 'hosting', NULL, 'summer'),
('Running', 'Trail Running Shoes, Women', 129.00, 'running', 240, NULL),
('Running', 'Trail Running Shoes, Men', 129.00, 'running', 240, NULL),
('Running', 'Road Running Shoes, Cushioned', 119.00, 'running', 240, NULL),
('Running', 'Running Vest 8 l', 89.00, 'running', NULL, NULL),
('Running', 'Soft Flask 500 ml', 14.90, 'running', NULL, NULL),
('Running', 'Energy Gels, Citrus, 12 pack', 21.00, 'running cycling', 28, NULL),
('Running', 'Electrolyte Tablets, 3 Tubes', 13.50, 'running cycling', 32, NULL),
('Clothing', 'Merino Running Socks', 16.90, 'running', NULL, NULL),
('Running', 'Anti-Blister Balm', 8.90, 'running camping', 90, NULL),
('Running', 'Head Torch 400 Lumen', 49.00, 'running camping', NULL, NULL),
('Running', 'Trekking Poles, Foldable', 79.00, 'running camping', NULL, NULL),
('Running', 'GPS Running Watch', 249.00, 'running cycling', NULL, NULL),
('Running', 'Heart Rate Strap', 59.00, 'running cycling', NULL, NULL),
('Clothing', 'Wind Jacket, Packable', 74.00, 'running cycling', NULL, NULL),
('Clothing', 'Running Tights, Thermal', 64.00, 'running', NULL, 'winter'),
('Running', 'Reflective Running Belt', 19.00, 'running', NULL, 'winter'),
('Running', 'Foam Roller', 27.00, 'running yoga', NULL, NULL),
('Running', 'Massage Ball Set', 16.00, 'running yoga office', NULL, NULL),
('Running', 'Running Cap, Mesh', 22.00, 'running', NULL, 'summer'),
('Outdoor', 'Two Person Tent, 1.9 kg', 279.00, 'camping', NULL, 'summer'),
('Outdoor', 'Tent Pegs, Aluminium, 10 pack', 12.90, 'camping', NULL, NULL),
('Outdoor', 'Tent Footprint, Two Person', 29.00, 'camping', NULL, 'summer'),
('Outdoor', 'Down Sleeping Bag, 0 Degrees', 189.00, 'camping', NULL, NULL),
('Outdoor', 'Sleeping Mat, Insulated', 99.00, 'camping', NULL, NULL),
('Outdoor', 'Inflatable Pillow', 24.00, 'camping', NULL, NULL),
('Outdoor', 'Gas Stove, Folding', 44.00, 'camping', NULL, NULL),
('Outdoor', 'Gas Cartridge 230 g', 6.90, 'camping', 50, NULL),
('Outdoor', 'Titanium Pot 750 ml', 39.00, 'camping', NULL, NULL),
('Outdoor', 'Titanium Spork', 9.90, 'camping', NULL, NULL),
('Outdoor', 'Dehydrated Chilli Meal', 7.90, 'camping', 45, NULL),
('Outdoor', 'Water Filter Squeeze', 36.00, 'camping running', NULL, NULL),
('Outdoor', 'Dry Bag 13 l', 16.00, 'camping cycling', NULL, NULL),
('Outdoor', 'Hiking Backpack 48 l', 169.00, 'camping', NULL, NULL),
('Clothing', 'Merino Base Layer', 69.00, 'camping running', NULL, 'winter'),
('Clothing', 'Rain Jacket, Three Layer', 219.00, 'camping cycling', NULL, NULL),
('Outdoor', 'Folding Camp Chair', 49.00, 'camping gardening', NULL, 'summer'),
('Outdoor', 'Enamel Mug', 9.50, 'camping', NULL, NULL),
('Outdoor', 'Insect Repellent 100 ml', 9.90, 'camping gardening', NULL, 'summer'),
('Outdoor', 'Pocket Knife, Ten Tools', 42.00, 'camping', NULL, NULL),
('Outdoor', 'First Aid Kit, Compact', 26.00, 'camping toddler', NULL, NULL),
('Outdoor', 'Vacuum Flask 0.75 l', 32.00, 'camping tea office', NULL, 'winter'),
('Cycling', 'Bib Shorts', 89.00, 'cycling', NULL, NULL),
('Clothing', 'Cycling Jersey, Merino', 79.00, 'cycling', NULL, NULL),
('Cycling', 'Helmet with Light', 99.00, 'cycling', NULL, NULL),
('Cycling', 'Inner Tubes 28 inch, 3 pack', 14.90, 'cycling', 100, NULL),
('Cycling', 'Tyre Levers', 4.90, 'cycling', NULL, NULL),
('Cycling', 'Mini Pump', 29.00, 'cycling', NULL, NULL),
('Cycling', 'Floor Pump with Gauge', 45.00, 'cycling', NULL, NULL),
('Cycling', 'Chain Oil, Wet 100 ml', 9.90, 'cycling', 80, NULL),
('Cycling', 'Chain Cleaner Tool', 24.00, 'cycling', NULL, NULL),
('Cycling', 'Multitool, 18 Functions', 34.00, 'cycling', NULL, NULL),
('Cycling', 'Saddle Bag 0.6 l', 22.00, 'cycling', NULL, NULL),
('Cycling', 'Bottle Cage, Carbon', 27.00, 'cycling', NULL, NULL),
('Cycling', 'Cycling Bottle 750 ml', 9.90, 'cycling', NULL, NULL),
('Cycling', 'Front and Rear Light Set', 54.00, 'cycling', NULL, 'winter'),
('Cycling', 'Overshoes, Neoprene', 42.00, 'cycling', NULL, 'winter'),
('Cycling', 'Pannier Bag 20 l', 69.00, 'cycling', NULL, NULL),
('Cycling', 'Folding Lock', 79.00, 'cycling', NULL, NULL),
('Cycling', 'Chamois Cream', 15.90, 'cycling', 70, NULL),
('Yoga', 'Yoga Mat, Natural Rubber', 69.00, 'yoga', NULL, NULL),
('Yoga', 'Cork Yoga Block, Pair', 24.00, 'yoga', NULL, NULL),
('Yoga', 'Yoga Strap, Cotton', 9.90, 'yoga', NULL, NULL),
('Yoga', 'Meditation Cushion, Buckwheat', 39.00, 'yoga', NULL, NULL),
('Yoga', 'Bolster, Organic Cotton', 54.00, 'yoga', NULL, NULL),
('Yoga', 'Mat Cleaner, Tea Tree 250 ml', 11.90, 'yoga', 70, NULL),
('Clothing', 'Yoga Leggings, High Waist', 59.00, 'yoga running', NULL, NULL),
('Yoga', 'Resistance Bands, Set of 5', 18.90, 'yoga running office', NULL, NULL),
('Yoga', 'Incense Sandalwood, 40 Sticks', 6.50, 'yoga cosy', 50, NULL),
('Yoga', 'Singing Bowl', 37.00, 'yoga', NULL, NULL),
('Yoga', 'Lavender Eye Pillow', 17.90, 'yoga cosy', NULL, NULL),
('Yoga', 'Acupressure Mat', 44.00, 'yoga office', NULL, NULL),
('Garden', 'Tomato Seeds, Heirloom Mix', 4.50, 'gardening', NULL, 'spring'),
('Garden', 'Basil Seeds', 2.90, 'gardening cooking', NULL, 'spring'),
('Garden', 'Wildflower Seed Mix 100 g', 8.90, 'gardening', NULL, 'spring'),
('Garden', 'Seed Trays with Lids, 3 pack', 12.90, 'gardening', NULL, 'spring'),
('Garden', 'Peat-Free Compost 40 l', 9.90, 'gardening houseplants', 60, 'spring'),
('Garden', 'Secateurs, Bypass', 39.00, 'gardening', NULL, NULL),
('Garden', 'Hand Trowel, Ash Handle', 16.50, 'gardening', NULL, NULL),
('Garden', 'Gardening Gloves', 12.90, 'gardening', NULL, NULL),
('Garden', 'Watering Can 9 l, Galvanised', 34.00, 'gardening', NULL, NULL),
('Garden', 'Garden Hose 25 m', 44.00, 'gardening', NULL, 'summer'),
('Garden', 'Raised Bed, Larch', 119.00, 'gardening', NULL, 'spring'),
('Garden', 'Tomato Fertiliser 1 l', 8.50, 'gardening', 40, 'summer'),
('Garden', 'Bamboo Canes 150 cm, 20 pack', 9.90, 'gardening', NULL, 'spring'),
('Garden', 'Garden Twine, Jute', 4.50, 'gardening', NULL, NULL),
('Garden', 'Bird Feeder, Cedar', 27.00, 'gardening', NULL, 'winter'),
('Garden', 'Sunflower Hearts for Birds 5 kg', 16.90, 'gardening', 40, 'winter'),
('Garden', 'Tulip Bulbs, 50 pack', 17.90, 'gardening', NULL, 'autumn'),
('Garden', 'Garlic for Planting, 3 Bulbs', 6.50, 'gardening cooking', NULL, 'autumn'),
('Garden', 'Leaf Rake', 24.00, 'gardening', NULL, 'autumn'),
('Garden', 'Kneeling Pad', 14.00, 'gardening', NULL, NULL),
('Plants', 'Monstera Deliciosa, 60 cm', 34.00, 'houseplants', NULL, NULL),
('Plants', 'Snake Plant, 40 cm', 24.00, 'houseplants office', NULL, NULL),
('Plants', 'Fiddle Leaf Fig, 90 cm', 59.00, 'houseplants', NULL, NULL),
('Plants', 'String of Pearls', 16.50, 'houseplants', NULL, NULL),
('Plants', 'Boston Fern', 14.90, 'houseplants', NULL, NULL),
('Plants', 'Moth Orchid, White', 22.00, 'houseplants', NULL, NULL),
('Plants', 'Echeveria Trio', 12.90, 'houseplants office', NULL, NULL),
('Plants', 'Houseplant Feed 500 ml', 7.90, 'houseplants', 60, NULL),
('Plants', 'Orchid Bark Mix 5 l', 9.50, 'houseplants', NULL, NULL),
('Plants', 'Plant Mister, Brass', 21.00, 'houseplants', NULL, NULL),
('Plants', 'Moisture Meter', 11.90, 'houseplants', NULL, NULL),
('Plants', 'Terracotta Pot 20 cm', 9.90, 'houseplants gardening', NULL, NULL),
('Plants', 'Macrame Plant Hanger', 17.00, 'houseplants', NULL, NULL),
('Plants', 'Moss Pole 80 cm', 15.50, 'houseplants', NULL, NULL),
('Plants', 'Grow Light, Clip-On', 32.00, 'houseplants', NULL, 'winter'),
('Plants', 'Indoor Watering Can 1.2 l', 26.00, 'houseplants', NULL, NULL),
('Baby', 'Nappies Size 2, 120 pack', 32.00, 'baby', 21, NULL),
('Baby', 'Nappies Size 4, 100 pack', 32.00, 'baby toddler', 24, NULL),
('Baby', 'Water Wipes, 12 Packs', 24.90, 'baby toddler', 28, NULL),
('Baby', 'Muslin Cloths, 5 pack', 19.90, 'baby', NULL, NULL),
('Baby', 'Baby Sleeping Bag 2.5 Tog', 39.00, 'baby', NULL, 'winter'),
('Baby', 'Bodysuits, Organic, 5 pack', 34.00, 'baby', NULL, NULL),
('Baby', 'Baby Carrier, Ergonomic', 129.00, 'baby', NULL, NULL),
('Baby', 'Bottle Set, Glass, 4 pack', 36.00, 'baby', NULL, NULL),
('Baby', 'Bottle Brush', 6.90, 'baby', 90, NULL),
('Baby', 'Dummy, Natural Rubber, 2 pack', 9.50, 'baby', 60, NULL),
('Baby', 'Teething Ring, Beech', 11.90, 'baby', NULL, NULL),
('Baby', 'Baby Oil, Almond 200 ml', 9.90, 'baby', 50, NULL),
('Baby', 'Nappy Cream 100 ml', 7.50, 'baby toddler', 45, NULL),
('Baby', 'Night Light, Moon', 24.00, 'baby toddler', NULL, NULL),
('Baby', 'White Noise Machine', 34.00, 'baby', NULL, NULL),
('Baby', 'Play Mat, Foam', 49.00, 'baby', NULL, NULL),
('Baby', 'Weaning Bowl with Suction', 13.50, 'baby toddler', NULL, NULL),
('Toys', 'Wooden Train Set, 60 Pieces', 59.00, 'toddler', NULL, NULL),
('Toys', 'Train Set Bridge and Tunnel', 24.00, 'toddler', NULL, NULL),
('Toys', 'Building Blocks, 100 Pieces', 39.00, 'toddler', NULL, NULL),
('Toys', 'Stacking Rings, Rainbow', 17.90, 'toddler baby', NULL, NULL),
('Toys', 'Balance Bike', 89.00, 'toddler', NULL, 'spring'),
('Toys', 'Toddler Helmet', 34.00, 'toddler', NULL, 'spring'),
('Toys', 'Finger Paints, 6 Colours', 14.50, 'toddler', 70, NULL),
('Toys', 'Washable Crayons, 24 pack', 9.90, 'toddler', 60, NULL),
('Toys', 'Drawing Roll, 20 m', 11.50, 'toddler', 60, NULL),
('Toys', 'Modelling Dough, 8 Tubs', 12.90, 'toddler', 60, NULL),
('Toys', 'Sand Bucket and Spade Set', 13.90, 'toddler', NULL, 'summer'),
('Toys', 'Paddling Pool', 29.00, 'toddler', NULL, 'summer'),
('Toys', 'Wooden Sledge', 64.00, 'toddler', NULL, 'winter'),
('Toys', 'Shape Sorting House', 27.00, 'toddler baby', NULL, NULL),
('Toys', 'Cuddly Rabbit', 19.90, 'baby toddler', NULL, NULL),
('Toys', 'Rain Boots, Kids', 26.00, 'toddler', NULL, 'autumn'),
('Pets', 'Grain-Free Dry Cat Food 4 kg', 29.90, 'cat', 30, NULL),
('Pets', 'Wet Cat Food, Salmon, 24 Pouches', 21.90, 'cat', 20, NULL),
('Pets', 'Clumping Cat Litter 14 kg', 18.90, 'cat', 24, NULL),
('Pets', 'Litter Scoop', 7.90, 'cat', NULL, NULL),
('Pets', 'Scratching Post 120 cm', 59.00, 'cat', NULL, NULL),
('Pets', 'Feather Wand', 8.90, 'cat', 80, NULL),
('Pets', 'Catnip Mice, 3 pack', 6.90, 'cat', NULL, NULL),
('Pets', 'Window Hammock for Cats', 34.00, 'cat', NULL, NULL),
('Pets', 'Cat Drinking Fountain', 39.00, 'cat', NULL, NULL),
('Pets', 'Fountain Filters, 6 pack', 12.90, 'cat', 60, NULL),
('Pets', 'Cat Carrier, Soft', 44.00, 'cat', NULL, NULL),
('Pets', 'Dry Dog Food, Lamb 12 kg', 54.00, 'dog', 35, NULL),
('Pets', 'Dental Chews for Dogs, 28 pack', 17.90, 'dog', 28, NULL),
('Pets', 'Dog Waste Bags, 300 pack', 11.90, 'dog', 50, NULL),
('Pets', 'Dog Lead, Rope 1.8 m', 24.00, 'dog', NULL, NULL),
('Pets', 'Dog Harness, No-Pull', 36.00, 'dog', NULL, NULL),
('Pets', 'Orthopaedic Dog Bed', 79.00, 'dog', NULL, NULL),
('Pets', 'Training Treats 500 g', 9.90, 'dog', 30, NULL),
('Pets', 'Tennis Balls for Dogs, 6 pack', 9.50, 'dog', 70, NULL),
('Pets', 'Tug Rope', 8.50, 'dog', NULL, NULL),
('Pets', 'Dog Coat, Waterproof', 46.00, 'dog', NULL, 'autumn'),
('Pets', 'Dog Towel, Microfibre', 16.90, 'dog', NULL, NULL),
('Pets', 'Tick Remover', 5.90, 'dog cat', NULL, 'summer'),
('Books', 'The Pour-Over Handbook', 24.00, 'pour-over books', NULL, NULL),
('Books', 'The Espresso Notebook', 22.00, 'espresso', NULL, NULL),
('Books', 'Bread from Scratch', 29.00, 'baking', NULL, NULL),
('Books', 'The Weeknight Kitchen', 27.00, 'cooking', NULL, NULL),
('Books', 'One Hundred Vegetables', 32.00, 'cooking gardening', NULL, NULL),
('Books', 'A Year in the Kitchen Garden', 25.00, 'gardening', NULL, NULL),
('Books', 'Long Trails of Europe', 28.00, 'running camping', NULL, NULL),
('Books', 'Ultra: Notes from the Back of the Field', 17.00, 'running', NULL, NULL),
('Books', 'Houseplants You Cannot Kill', 18.00, 'houseplants', NULL, NULL),
('Books', 'Understanding Your Cat', 16.00, 'cat', NULL, NULL),
('Books', 'Puppy School', 17.50, 'dog', NULL, NULL),
('Books', 'The First Twelve Months', 19.90, 'baby', NULL, NULL),
('Books', 'Goodnight, Little Fox', 11.90, 'baby toddler', NULL, NULL),
('Books', 'Ten Diggers and a Duck', 12.50, 'toddler', NULL, NULL),
('Books', 'The Harbour Murders', 13.90, 'books', NULL, NULL),
('Books', 'Death at Low Tide', 13.90, 'books', NULL, NULL),
('Books', 'The Inspector''s Last Winter', 14.50, 'books', NULL, NULL),
('Books', 'A Quiet Poison', 12.90, 'books', NULL, NULL),
('Books', 'The Lighthouse File', 13.50, 'books', NULL, NULL),
('Books', 'Silence on the Night Train', 13.90, 'books', NULL, NULL),
('Books', 'The Cartographer''s Daughter', 15.90, 'books', NULL, NULL),
('Books', 'Salt Roads', 16.50, 'books', NULL, NULL),
('Books', 'Letters to an Orchard', 15.50, 'books gardening', NULL, NULL),
('Books', 'Reading Lamp, Clip-On', 19.90, 'books', NULL, NULL),
('Books', 'Brass Bookmarks, 3 pack', 8.90, 'books', NULL, NULL),
('Crafts', 'Merino Yarn, Forest Green 100 g', 11.90, 'knitting', 30, NULL),
('Crafts', 'Merino Yarn, Oatmeal 100 g', 11.90, 'knitting', 30, NULL),
('Crafts', 'Merino Yarn, Rust 100 g', 11.90, 'knitting', 30, NULL),
('Crafts', 'Alpaca Lace Yarn, Grey 50 g', 13.50, 'knitting', 40, NULL),
('Crafts', 'Sock Yarn, Speckled 100 g', 15.90, 'knitting', 35, NULL),
('Crafts', 'Circular Needles 4 mm', 9.90, 'knitting', NULL, NULL),
('Crafts', 'Interchangeable Needle Set', 89.00, 'knitting', NULL, NULL),
('Crafts', 'Double Pointed Needles 2.5 mm', 8.50, 'knitting', NULL, NULL),
('Crafts', 'Stitch Markers, 40 pack', 6.90, 'knitting', NULL, NULL),
('Crafts', 'Blocking Mats, 9 pack', 29.00, 'knitting', NULL, NULL),
('Crafts', 'Yarn Bowl, Ceramic', 27.00, 'knitting', NULL, NULL),
('Crafts', 'Project Bag, Canvas', 22.00, 'knitting', NULL, NULL),
('Crafts', 'Twenty Sweaters from One Pattern', 26.00, 'knitting books', NULL, NULL),
('Crafts', 'Wool Wash 500 ml', 10.90, 'knitting', 75, NULL),
('Office', 'Fountain Pen, Fine Nib', 39.00, 'office books', NULL, NULL),
('Office', 'Ink, Blue-Black 50 ml', 9.90, 'office', 90, NULL),
('Office', 'Dotted Notebook A5', 16.90, 'office', 60, NULL),
('Office', 'Desk Lamp, Dimmable', 79.00, 'office', NULL, NULL),
('Office', 'Laptop Stand, Aluminium', 49.00, 'office', NULL, NULL),
('Office', 'Mechanical Keyboard, Quiet', 119.00, 'office', NULL, NULL),
('Office', 'Wrist Rest, Walnut', 29.00, 'office', NULL, NULL),
('Office', 'Desk Mat, Felt', 34.00, 'office', NULL, NULL),
('Office', 'Monitor Arm', 99.00, 'office', NULL, NULL),
('Office', 'Cable Organiser Box', 22.00, 'office', NULL, NULL),
('Office', 'Noise Cancelling Headphones', 249.00, 'office', NULL, NULL),
('Office', 'Webcam Light', 37.00, 'office', NULL, NULL),
('Office', 'Ergonomic Seat Cushion', 42.00, 'office', NULL, NULL),
('Office', 'Weekly Planner Pad', 12.90, 'office', 90, NULL),
('Home', 'Soy Candle, Cedar', 19.90, 'cosy', 40, 'winter'),
('Home', 'Soy Candle, Fig', 19.90, 'cosy hosting', 40, NULL),
('Home', 'Beeswax Taper Candles, 12 pack', 24.00, 'cosy hosting', 60, 'winter'),
('Home', 'Brass Candle Holder', 27.00, 'cosy hosting', NULL, NULL),
('Home', 'Wool Throw, Herringbone', 89.00, 'cosy', NULL, 'winter'),
('Home', 'Sheepskin Slippers', 59.00, 'cosy', NULL, 'winter'),
('Home', 'Hot Water Bottle with Knit Cover', 29.00, 'cosy', NULL, 'winter'),
('Home', 'Linen Bedding Set', 149.00, 'cosy', NULL, NULL),
('Home', 'Fairy Lights, 10 m', 17.90, 'cosy', NULL, 'winter'),
('Home', 'Reed Diffuser, Bergamot', 28.00, 'cosy', 60, NULL),
('Home', 'Jigsaw Puzzle, 1000 Pieces', 18.90, 'cosy books', NULL, NULL),
('Home', 'Board Game: Harbour Masters', 44.00, 'hosting cosy', NULL, NULL),
('Home', 'Card Game: Fox and Geese', 14.90, 'hosting toddler', NULL, NULL),
('Care', 'Mineral Sun Cream SPF 50', 18.90, 'running cycling toddler', 40, 'summer'),
('Care', 'Sun Cream for Kids SPF 50', 16.90, 'toddler baby', 40, 'summer'),
('Care', 'Aloe After-Sun Gel', 9.90, 'camping gardening', NULL, 'summer'),
('Care', 'Lip Balm, Beeswax', 4.50, 'cosy camping', 60, 'winter'),
('Care', 'Hand Cream, Calendula', 8.90, 'gardening cosy', 60, 'winter'),
('Care', 'Bath Salts, Lavender 1 kg', 13.90, 'yoga cosy', 45, NULL),
('Care', 'Muscle Rub, Arnica', 10.90, 'running yoga cycling', 60, NULL),
('Clothing', 'Merino Crew Sweater', 99.00, 'cosy office', NULL, 'winter'),
('Clothing', 'Linen Shirt', 69.00, 'hosting office', NULL, 'summer');

-- What belongs together: whoever puts the first into the basket takes the second along, two times in three.
CREATE TEMP TABLE goes_with (product text, companion text) ON COMMIT DROP;
INSERT INTO goes_with VALUES
('V60 Dripper Size 02', 'V60 Paper Filters Size 02, 100 pack'),
('V60 Dripper Size 02', 'Gooseneck Kettle 0.9 l'),
('Flat Bottom Dripper, Steel', 'Wave Paper Filters, 100 pack'),
('Gooseneck Kettle 0.9 l', 'Kitchen Scale 0.1 g'),
('Stovetop Moka Pot, 6 Cups', 'Moka Pot Gasket Set'),
('Lever Espresso Maker', 'Espresso Tamper 58 mm'),
('Bottomless Portafilter', 'Knock Box, Beech'),
('Ceremonial Matcha 30 g', 'Bamboo Matcha Whisk'),
('Bamboo Matcha Whisk', 'Matcha Bowl, Speckled'),
('Glass Teapot with Strainer', 'Earl Grey Loose Leaf 250 g'),
('Chef''s Knife 20 cm', 'Whetstone 1000/3000'),
('Pasta Machine', 'Tipo 00 Pizza Flour 5 kg'),
('Baking Steel 40 x 35 cm', 'Pizza Peel, Aluminium'),
('Banneton Proofing Basket 1 kg', 'Bread Lame with 10 Blades'),
('Sourdough Starter Jar', 'Stoneground Rye Flour 2 kg'),
('Running Vest 8 l', 'Soft Flask 500 ml'),
('GPS Running Watch', 'Heart Rate Strap'),
('Two Person Tent, 1.9 kg', 'Tent Pegs, Aluminium, 10 pack'),
('Two Person Tent, 1.9 kg', 'Tent Footprint, Two Person'),
('Sleeping Mat, Insulated', 'Inflatable Pillow'),
('Gas Stove, Folding', 'Gas Cartridge 230 g'),
('Mini Pump', 'Saddle Bag 0.6 l'),
('Inner Tubes 28 inch, 3 pack', 'Tyre Levers'),
('Bottle Cage, Carbon', 'Cycling Bottle 750 ml'),
('Yoga Mat, Natural Rubber', 'Mat Cleaner, Tea Tree 250 ml'),
('Tomato Seeds, Heirloom Mix', 'Seed Trays with Lids, 3 pack'),
('Bird Feeder, Cedar', 'Sunflower Hearts for Birds 5 kg'),
('Moth Orchid, White', 'Orchid Bark Mix 5 l'),
('Monstera Deliciosa, 60 cm', 'Moss Pole 80 cm'),
('Nappies Size 2, 120 pack', 'Water Wipes, 12 Packs'),
('Bottle Set, Glass, 4 pack', 'Bottle Brush'),
('Balance Bike', 'Toddler Helmet'),
('Wooden Train Set, 60 Pieces', 'Train Set Bridge and Tunnel'),
('Finger Paints, 6 Colours', 'Drawing Roll, 20 m'),
('Clumping Cat Litter 14 kg', 'Litter Scoop'),
('Cat Drinking Fountain', 'Fountain Filters, 6 pack'),
('Dog Harness, No-Pull', 'Dog Lead, Rope 1.8 m'),
('Fountain Pen, Fine Nib', 'Ink, Blue-Black 50 ml'),
('Circular Needles 4 mm', 'Stitch Markers, 40 pack'),
('Mechanical Keyboard, Quiet', 'Wrist Rest, Walnut'),
('Brass Candle Holder', 'Beeswax Taper Candles, 12 pack');

-- New this week, so nobody has bought them yet; and what everybody has been talking about for the last ten days.
CREATE TEMP TABLE brand_new (name text) ON COMMIT DROP;
INSERT INTO brand_new VALUES
('Flat Bottom Dripper, Steel'), ('Tea Tin with Lid 150 g'), ('Singing Bowl'), ('Grow Light, Clip-On'), ('Tug Rope'),
('Salt Roads'), ('Webcam Light'), ('Yarn Bowl, Ceramic'), ('Reed Diffuser, Bergamot');
CREATE TEMP TABLE talked_about (name text) ON COMMIT DROP;
INSERT INTO talked_about VALUES
('Acupressure Mat'), ('Silence on the Night Train'), ('Pasta Machine'), ('Cat Drinking Fountain'),
('Board Game: Harbour Masters');

-- Most of it has been on sale for longer than the two years of orders, a sixth came in between. One product in twenty is
-- sold out.
INSERT INTO products (id, name, category, tags, price, in_stock, released_at)
SELECT s.id, s.name, s.category, string_to_array(s.tags, ' '), s.price,
       pg_temp.dice(s.id, 1) >= 0.05 OR EXISTS (SELECT FROM goes_with g WHERE s.name IN (g.product, g.companion)),
       current_date - CASE WHEN n.name IS NOT NULL THEN 1 + floor(6 * pg_temp.dice(s.id, 2))
                           WHEN pg_temp.dice(s.id, 3) < 0.16 THEN 60 + floor(600 * pg_temp.dice(s.id, 2))
                           ELSE 740 + floor(1500 * pg_temp.dice(s.id, 2)) END::int
FROM shelf s LEFT JOIN brand_new n USING (name)
ORDER BY s.id;


-- Who buys there. Everybody has one to three tastes; some tastes are more common than others.

INSERT INTO customers (id, name, city, born)
SELECT id,
       first[1 + floor(cardinality(first) * pg_temp.dice(id, 10))::int] || ' ' ||
       last[1 + floor(cardinality(last) * pg_temp.dice(id, 11))::int],
       town[1 + floor(cardinality(town) * power(pg_temp.dice(id, 12), 1.5))::int],
       1945 + floor(60 * (pg_temp.dice(id, 13) + pg_temp.dice(id, 14)) / 2)::int
FROM generate_series(1, 2500) AS id,
     (VALUES ('{Ada,Amir,Anna,Ben,Carla,Chidi,Clara,Daniel,Elif,Emma,Felix,Fiona,Grace,Hana,Hugo,Ida,Ivan,Jana,Jonas,Kofi,
                Lea,Leo,Lina,Luca,Maja,Marc,Maria,Mateo,Mei,Nadia,Noah,Nora,Oscar,Paula,Priya,Rosa,Samir,Sara,Sven,Tara,
                Theo,Uma,Vera,Viktor,Wanda,Yara,Yusuf,Zoe}'::text[],
              '{Adler,Almeida,Bauer,Berg,Bianchi,Brandt,Chen,Costa,Dahl,Diallo,Duarte,Fischer,Fontaine,Garcia,Haas,Hansen,
                Horvat,Ito,Jansen,Kaya,Keller,Kim,Kowalski,Laurent,Lindqvist,Lopez,Marek,Meyer,Moreau,Nagy,Novak,Okafor,
                Olsen,Park,Peeters,Petrov,Quinn,Raman,Rossi,Sato,Schmid,Silva,Singh,Sorensen,Tanaka,Torres,Varga,Vogel,
                Walsh,Weber,Yilmaz,Zimmer}'::text[],
              '{Hamburg,Vienna,Rotterdam,Lyon,Porto,Malmo,Zurich,Leeds,Turin,Ghent,Krakow,Graz,Bergen,Cork,Bilbao,Brno,
                Aarhus,Tartu,Split,Basel}'::text[])) AS names(first, last, town);

-- Five people with a clear taste, to look at.
CREATE TEMP TABLE regular (id int, name text, tastes text[]) ON COMMIT DROP;
INSERT INTO regular VALUES
(42,   'Mara Lindqvist', '{pour-over,baking}'),
(7,    'Jonas Okafor',   '{running,camping}'),
(99,   'Priya Raman',    '{baby,tea}'),
(123,  'Theo Walsh',     '{cat,books}'),
(2024, 'Ines Duarte',    '{gardening,cooking}');
UPDATE customers c SET name = r.name FROM regular r WHERE r.id = c.id;

CREATE TEMP TABLE taste ON COMMIT DROP AS
SELECT tag, row_number() OVER (ORDER BY hashtextextended(tag, 2)) - 1 AS no, count(*) OVER () AS all
FROM (SELECT DISTINCT unnest(tags) AS tag FROM products) AS tags;

CREATE TEMP TABLE customer_taste ON COMMIT DROP AS
SELECT id AS customer_id, place, tag
FROM regular, unnest(tastes) WITH ORDINALITY AS t(tag, place)
UNION ALL
SELECT c.id, place, t.tag
FROM customers c, generate_series(1, 3) AS place, taste t
WHERE c.id NOT IN (SELECT id FROM regular)
  AND pg_temp.dice(c.id, 20 + place) < (ARRAY[1, 0.65, 0.25])[place]
  AND t.no = floor(t.all * power(pg_temp.dice(c.id, 30 + place), 1.4))::int;
CREATE INDEX ON customer_taste (customer_id, place);


-- What they look at. Within a taste a few products are loved and many sell now and then (Zipf), and the season counts:
-- sun cream in summer, candles in winter. Every taste gets 400 tickets per season, shared out by that; a visitor draws.

CREATE FUNCTION pg_temp.season(at timestamptz) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT (ARRAY['winter', 'spring', 'summer', 'autumn'])[1 + extract(month FROM at AT TIME ZONE 'UTC')::int % 12 / 3] $$;

CREATE TEMP TABLE ticket ON COMMIT DROP AS
WITH pull AS (
  SELECT tag, now.season, s.id,
         power(2 + row_number() OVER (PARTITION BY tag, now.season ORDER BY pg_temp.dice(s.id, 40)
                                              * CASE WHEN s.name IN (SELECT product FROM goes_with) THEN 0.5 ELSE 1 END), -0.8)
         * CASE WHEN s.season IS NULL THEN 1 WHEN s.season = now.season THEN 3 ELSE 0.1 END AS pull
  FROM shelf s, unnest(string_to_array(s.tags, ' ')) AS tag,
       (VALUES ('winter'), ('spring'), ('summer'), ('autumn')) AS now(season)
  WHERE s.name NOT IN (SELECT name FROM brand_new)
), share AS (
  SELECT tag, season, id, 400 * sum(pull) OVER upto / sum(pull) OVER (PARTITION BY tag, season) AS upto,
         400 * pull / sum(pull) OVER (PARTITION BY tag, season) AS width
  FROM pull
  WINDOW upto AS (PARTITION BY tag, season ORDER BY id)
)
SELECT tag, season, no, id AS product_id
FROM share, generate_series(ceil(upto - width)::int, ceil(upto)::int - 1) AS no;
CREATE INDEX ON ticket (tag, season, no);
ANALYZE ticket, customer_taste, taste;

-- A visit follows one of the visitor's tastes; one in ten follows none of them (a present, an errand). Visitors from
-- 100001 on are guests, who have no account and never buy. The shop grows: more visits are recent than old.
CREATE TEMP TABLE visit ON COMMIT DROP AS
WITH visitor AS (
  SELECT id, 4 + floor(28 * power(pg_temp.dice(id, 50), 2.4)) AS visits FROM customers
  WHERE id NOT IN (SELECT id FROM regular)
  UNION ALL SELECT id, 14 FROM regular
  UNION ALL SELECT id, 1 + floor(4 * pg_temp.dice(id, 50)) FROM generate_series(100001, 101500) AS id
), planned AS (
  SELECT id AS visitor_id, id::bigint * 1000 + n AS no,
         date_trunc('day', now(), 'UTC') - interval '1 hour'
           - interval '730 days' * power(pg_temp.dice(id::bigint * 1000 + n, 51), 1.25) AS at,
         pg_temp.dice(id::bigint * 1000 + n, 52) AS mood
  FROM visitor, generate_series(1, visits::int) AS n
)
SELECT p.*, coalesce(own.tag, first.tag, errand.tag) AS tag, own.tag IS NULL AND first.tag IS NULL AS errand
FROM planned p
LEFT JOIN customer_taste own ON own.customer_id = p.visitor_id
  AND own.place = CASE WHEN mood < 0.5 THEN 1 WHEN mood < 0.75 THEN 2 WHEN mood < 0.9 THEN 3 END
LEFT JOIN customer_taste first ON first.customer_id = p.visitor_id AND first.place = 1
  AND (mood < 0.9 OR p.visitor_id IN (SELECT id FROM regular))
LEFT JOIN taste errand ON errand.no = floor(errand.all * pg_temp.dice(p.no, 53))::int;
ANALYZE visit;

CREATE TEMP TABLE look ON COMMIT DROP AS
WITH draw AS MATERIALIZED (
  SELECT visitor_id, no, no * 10 + n AS look, at + n * interval '2 minutes' AS at, tag, pg_temp.season(at) AS season,
         floor(400 * pg_temp.dice(no * 10 + n, 61))::int AS drawn
  FROM visit, generate_series(1, 2 + floor(3 * pg_temp.dice(no, 60))::int) AS n
)
SELECT DISTINCT ON (d.no, t.product_id) d.visitor_id, d.no, d.look, t.product_id, d.at
FROM draw d
JOIN ticket t ON t.tag = d.tag AND t.season = d.season AND t.no = d.drawn
JOIN products p ON p.id = t.product_id AND p.released_at < d.at
ORDER BY d.no, t.product_id, d.look;

-- The products everybody talks about bring people in by the hundred, in the last ten days alone.
INSERT INTO look
SELECT 1 + floor(2500 * pg_temp.dice(p.id * 1000 + n, 62)), 900000000 + p.id * 1000 + n, (900000000 + p.id * 1000 + n)::bigint * 10,
       p.id, date_trunc('day', now(), 'UTC') - interval '1 hour' - interval '10 days' * pg_temp.dice(p.id * 1000 + n, 63)
FROM products p JOIN talked_about USING (name), generate_series(1, 150) AS n;


-- What they buy: every other visit ends with a basket, some of what was seen and what goes with it. Things that last are
-- bought once; what gets used up may be bought again on its rhythm, without another look.

CREATE TEMP TABLE bought ON COMMIT DROP AS
WITH chosen AS (
  SELECT l.visitor_id AS customer_id, l.look, l.product_id, l.at + interval '9 minutes' AS at
  FROM look l
  WHERE l.visitor_id <= 2500 AND pg_temp.dice(l.no, 70) < 0.5 AND pg_temp.dice(l.look, 71) < 0.6
), basket AS (
  SELECT * FROM chosen
  UNION ALL
  SELECT c.customer_id, c.look + 7, companion.id, c.at
  FROM chosen c
  JOIN products p ON p.id = c.product_id
  JOIN goes_with g ON g.product = p.name
  JOIN products companion ON companion.name = g.companion AND companion.released_at < c.at
  WHERE pg_temp.dice(c.look + companion.id, 72) < 0.67
)
SELECT DISTINCT ON (b.customer_id, b.product_id) b.*, s.refill, s.season
FROM basket b JOIN shelf s ON s.id = b.product_id
ORDER BY b.customer_id, b.product_id, b.at;

INSERT INTO orders (customer_id, product_id, ordered_at, quantity)
SELECT customer_id, product_id, at,
       CASE WHEN refill IS NULL OR pg_temp.dice(look, 80) < 0.7 THEN 1 ELSE 2 END
FROM (
  SELECT customer_id, product_id, look, refill, NULL AS season, at FROM bought
  UNION ALL
  SELECT customer_id, product_id, look * 20 + n, refill, season,
         at + n * refill * interval '1 day' + interval '6 days' * (pg_temp.dice(look * 20 + n, 81) - 0.5)
  FROM bought, generate_series(1, 2 + floor(10 * pg_temp.dice(look, 82))::int) AS n
  WHERE pg_temp.dice(look, 83) < 0.45
) AS lines
WHERE at < date_trunc('day', now(), 'UTC') AND (season IS NULL OR season = pg_temp.season(at))
ORDER BY at, customer_id, product_id;

INSERT INTO page_views (visitor_id, product_id, seen_at)
SELECT visitor_id, product_id, at FROM look
ORDER BY at, visitor_id, product_id;


-- What they think of it: some of what was bought gets a thumb a few days later, up as a rule, down for about three in a
-- hundred, and more often for what was never to their taste.

INSERT INTO ratings (customer_id, product_id, thumb, rated_at)
SELECT b.customer_id, b.product_id, CASE WHEN opinion < down THEN -1 ELSE 1 END, b.at + interval '10 days' * pg_temp.dice(b.look, 90)
FROM bought b
JOIN products p ON p.id = b.product_id,
     LATERAL (SELECT pg_temp.dice(b.look, 91) AS opinion,
                     CASE WHEN EXISTS (SELECT FROM customer_taste t WHERE t.customer_id = b.customer_id AND t.tag = ANY (p.tags))
                          THEN 0.02 ELSE 0.12 END AS down) AS o
WHERE opinion < down + 0.17 AND b.at < date_trunc('day', now(), 'UTC') - interval '10 days'
ORDER BY b.at, b.customer_id, b.product_id;

CREATE INDEX ON orders (customer_id);
CREATE INDEX ON page_views (visitor_id);
CREATE INDEX ON ratings (customer_id);

DROP FUNCTION pg_temp.dice(bigint, bigint), pg_temp.season(timestamptz);
COMMIT;
ANALYZE customers, products, orders, page_views, ratings;
