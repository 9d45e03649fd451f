"""Times the item neighbours of the Python library implicit on the events that `events SET binary` wrote.

    peer.py PATH FILE K THREADS

PATH holds the package implicit, built for this Python: a checkout built in place or a site-packages folder. numpy and
scipy are needed beside it. implicit counts an item among its own neighbours, so K + 1 are asked for. Prints name=value:
seconds and processor seconds of fit from a matrix in memory (making that matrix is told apart), pairs kept and the sum
of their similarities without those of an item with itself, and users a second of recommend for every user at once, or
for the first 20,000 where there are more: in one call, as its users make it, and by as many processes as it had threads.
"""

import multiprocessing
import os
import resource
import sys
import time
import warnings

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # what implicit itself asks for
path, file, k, threads = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
sys.path.insert(0, os.path.abspath(path))

import numpy as np
from scipy.sparse import csr_matrix

warnings.simplefilter("ignore")  # that cosine makes a matrix of another form, which is its own doing
from implicit.nearest_neighbours import CosineRecommender

MOST_USERS = 20000
HEADER, TRAILER = 19, 2
# A row for COPY (FORMAT binary): the number of fields, and before each its length.
ROW = np.dtype(
    [("fields", ">i2"), ("l1", ">i4"), ("user", ">i4"), ("l2", ">i4"), ("item", ">i4"), ("l3", ">i4"), ("at", ">i8"),
     ("l4", ">i4"), ("weight", ">f4")]
)


def spent():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def read_matrix():
    """Users by items, every event a 1."""
    count = (os.path.getsize(file) - HEADER - TRAILER) // ROW.itemsize
    rows = np.fromfile(file, dtype=ROW, offset=HEADER, count=count)
    user = rows["user"].astype(np.int32) - 1
    item = rows["item"].astype(np.int32) - 1
    return csr_matrix((np.ones(count, dtype=np.float64), (user, item)))


began = time.time()
matrix = read_matrix()
print(f"build={time.time() - began:.3f}")

model = CosineRecommender(K=k + 1, num_threads=threads)
began, began_spent = time.time(), spent()
model.fit(matrix, show_progress=False)
print(f"fit={time.time() - began:.3f}")
print(f"cpu={spent() - began_spent:.3f}")
print(f"peak={resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}")
print(f"pairs={np.count_nonzero(model.similarity.data) - np.count_nonzero(model.similarity.diagonal())}")
print(f"similarity={model.similarity.data.sum() - model.similarity.diagonal().sum():.1f}")


def recommend(users):
    model.recommend(users, matrix[users], N=10)


users = np.arange(min(MOST_USERS, matrix.shape[0]))
began = time.time()
recommend(users)
print(f"recommended_users={len(users) / (time.time() - began):.1f}")

# Such a call makes one list after the other, whatever num_threads says: so it gets as many processes besides.
with multiprocessing.get_context("fork").Pool(threads) as pool:
    began = time.time()
    pool.map(recommend, np.array_split(users, threads))
    print(f"recommended_users_together={len(users) / (time.time() - began):.1f}")
