#!/bin/bash
# SciPy's quantiles of Student's t are off in the ninth digit at some degrees of freedom: scipy.stats.t.ppf(.975, 49) is low by 2.6e-9, while the
# distribution function t.cdf of the same package says so, and the quantile by betaincinv, the inverse of the incomplete beta function, is right.
#
# Seen with: Debian 12, python3-scipy 1.10.1-2, amd64.
#
# Output seen: "49 degrees of freedom: t.ppf 2.009575234489, where t.cdf is .975 - 1.4e-10; by betaincinv 2.009575237129, where it is .975 - 0.0e+00".
#
# Needs: apt-get (to download the package into a temporary folder), and python3-scipy, which brings the libraries the package depends on.
# Exit status: 0 as described, 1 it behaves differently, 2 it can't be looked at.
set -eu
version=1.10.1-2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
{ apt-get download "python3-scipy=$version" && dpkg-deb -x python3-scipy_*.deb .; } >log 2>&1 \
    || { cat log >&2; echo "python3-scipy $version can't be downloaded" >&2; exit 2; }

cat >student.py <<'END'
from scipy.special import betaincinv
from scipy.stats import t

degrees = 49
ppf = t.ppf(.975, degrees)
right = (degrees * (1 / betaincinv(degrees / 2, .5, .05) - 1)) ** .5
miss, none = .975 - t.cdf(ppf, degrees), .975 - t.cdf(right, degrees)
print("%d degrees of freedom: t.ppf %.12f, where t.cdf is .975 - %.1e; by betaincinv %.12f, where it is .975 - %.1e" % (degrees, ppf, miss, right, abs(none)))
raise SystemExit(0 if abs(miss) > 1e-11 > abs(none) else 1)
END
PYTHONPATH=$tmp/usr/lib/python3/dist-packages /usr/bin/python3 student.py 2>log || { [ $? -eq 1 ] && echo 'the quantile is not off as described' >&2; exit 1; }
