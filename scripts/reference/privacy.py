#!/usr/bin/python3
"""Writes tests/oracle/privacy.txt: the Renyi divergence of the sampled Gaussian mechanism by numeric integration.

    /usr/bin/python3 scripts/reference/privacy.py            (Debian: python3-mpmath)

For tests/unit/test_privacy.c. A line is Q SIGMA ORDER and

    1 / (ORDER - 1) log of the integral of N(x; 0, SIGMA^2) (1 - Q + Q exp((2x - 1) / (2 SIGMA^2)))^ORDER,

which is what Mironov, Talwar and Zhang (2019) write as a sum: here it is integrated with 30 digits. Behind it, of the composition of STEPS
such mechanisms with Q = 1, the exact epsilon for DELTA (Balle and Wang, 2018), in lines "exact SIGMA STEPS DELTA EPSILON".
"""
import os
from mpmath import exp, log, mp, mpf, ncdf, npdf, quad, sqrt

mp.dps = 30


def divergence(q, sigma, order):
    q, sigma, order = mpf(q), mpf(sigma), mpf(order)
    peak = order  # the integrand's bulk lies between 0 and the order
    edges = [-12 * sigma] + [peak * k / 4 for k in range(5)] + [peak + 12 * sigma]
    a = quad(lambda x: npdf(x, 0, sigma) * (1 - q + q * exp((2 * x - 1) / (2 * sigma ** 2))) ** order, edges)
    return log(a) / (order - 1)


def exact(sigma, steps, delta):
    s = mpf(sigma) / sqrt(steps)
    low, high = mpf(0), mpf(200)
    for _ in range(120):
        e = (low + high) / 2
        more = ncdf(1 / (2 * s) - e * s) - exp(e) * ncdf(-1 / (2 * s) - e * s) > mpf(delta)
        low, high = (e, high) if more else (low, e)
    return low


with open(os.path.join(os.path.dirname(__file__), '../../tests/oracle/privacy.txt'), 'w') as f:
    for q in ('0.001', '0.01', '0.1', '0.9'):
        for sigma in ('0.7', '1.1', '4'):
            for order in ('1.1', '2', '3.7', '12.25', '32'):
                f.write(f'{q} {sigma} {order} {mp.nstr(divergence(q, sigma, order), 17)}\n')
    for sigma, steps, delta in (('1', 1, '1e-5'), ('5', 10, '1e-5'), ('50', 600, '1e-6'), ('2', 100, '1e-5'), ('100', 60, '1e-7')):
        f.write(f'exact {sigma} {steps} {delta} {mp.nstr(exact(sigma, steps, delta), 17)}\n')
