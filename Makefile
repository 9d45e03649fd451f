# reco: make, make install, make installcheck.  The version is read from reco.control alone.

EXTENSION    = reco
EXTVERSION   = $(shell sed -n "s/^default_version *= *'\(.*\)'.*/\1/p" reco.control)

# The parts of the install script, in the order they are joined.  The tests of upgrades leave out the last one, which models
# must do without.
PARTS        = expect models refresh gather estimate watch recommend explore score order everyone explain audience factor similar popular onboarding continue hooks wrapped page check erasure matrix rhythm lifetime winback habits purchases hours besttime pace measure metric choose replay trial served affinity demand reasons segments evaluate ranking tune
SQL_PARTS    = $(PARTS:%=sql/%.sql)

MODULE_big   = reco
SOURCES      = $(wildcard src/*.c src/*/*.c)
OBJS         = $(SOURCES:.c=.o)

DATA_built   = sql/reco--$(EXTVERSION).sql
DATA         = $(filter-out $(DATA_built),$(wildcard sql/reco--*--*.sql))
DOCS         =

# Each word has its pair test/sql/WORD.sql and expected/WORD.out.  pg_regress looks under its
# output directory first, which keeps it away from the install parts in sql/.
REGRESS      = $(notdir $(basename $(wildcard test/sql/*.sql)))
REGRESS_OPTS = --outputdir=test --load-extension=reco

EXTRA_CLEAN  = $(SOURCES:.c=.d) test/results test/isolation/output_iso test/regression.diffs test/regression.out dist

# No bitcode for the JIT compiler: nothing here is small enough to be inlined into a query.
override with_llvm = no

PG_CONFIG   ?= pg_config
PGXS        := $(shell $(PG_CONFIG) --pgxs)

# The server's headers count as system headers, so that -Wextra speaks of our code only.
PG_CPPFLAGS  = -I$(srcdir)/src -isystem $(shell $(PG_CONFIG) --includedir-server)
PG_CFLAGS    = -Wall -Wextra -Wno-unused-parameter -MMD -MP $(if $(WERROR),-Werror) $(if $(ASSERT),-DUSE_ASSERT_CHECKING)
SHLIB_LINK   = -lm

include $(PGXS)

# The numeric core is all loops over arrays, which -O3 vectorises.
src/math/%.o: CFLAGS += -O3

# A loop of five instructions takes half as long again where a line of the cache ends inside.
src/math/pairs.o: CFLAGS += -falign-loops=64

# Comparisons of several numbers at once may look at some that are not needed, which raises no alarm.
src/math/packed.o: CFLAGS += -fno-trapping-math

# A score has the same bits whichever loop and whichever processor adds it up.
src/math/rank.o src/math/shortlist.o: CFLAGS += -ffp-contract=off

# Nor has who belongs to which group other bits than one loop over the cells would have.
src/math/products.o src/learn/clusters.o: CFLAGS += -ffp-contract=off

$(DATA_built): $(SQL_PARTS) reco.control
	@{ printf '%s\n' '-- reco $(EXTVERSION), joined from sql/ by make: do not edit.' \
	     '\echo Use "CREATE EXTENSION reco" to load this file. \quit'; \
	   for part in $(SQL_PARTS); do echo; cat $$part; done; } > $@

-include $(SOURCES:.c=.d)

.PHONY: tapcheck isolationcheck layercheck format freeze dist

# Numbers and properties, each file in a database of its own, on a running server that has reco
# and pgTAP installed.
tapcheck:
	@for file in $(wildcard test/pgtap/*.sql); do \
	  dropdb --if-exists reco_tapcheck && createdb reco_tapcheck && \
	  psql -qX -d reco_tapcheck -c 'CREATE EXTENSION pgtap' -c 'CREATE EXTENSION reco' && \
	  pg_prove --dbname reco_tapcheck $$file || exit 1; \
	done; dropdb reco_tapcheck

# Sessions that meet, each spec in a fixed order of steps, on a running server that has reco installed.
isolationcheck:
	$(pg_isolation_regress_installcheck) --inputdir=test/isolation --outputdir=test/isolation/output_iso --load-extension=reco \
	  $(sort $(notdir $(basename $(wildcard test/isolation/specs/*.spec))))

# The arrows of the house point down only, and file names are unique.
layercheck:
	@script/layercheck

format:
	clang-format -i src/*.c src/*/*.c src/*/*.h bench/*.c

# At a release: keeps its install script for the tests of upgrades.  What was released never changes.
freeze: $(DATA_built)
	@test ! -e test/upgrade/$(notdir $(DATA_built)) || { echo "version $(EXTVERSION) is frozen already: raise default_version"; exit 1; }
	cp $(DATA_built) test/upgrade/

dist:
	@mkdir -p dist
	git archive --format zip --prefix=reco-$(EXTVERSION)/ -o dist/reco-$(EXTVERSION).zip HEAD
