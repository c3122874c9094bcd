"""Customer lifetime value: the mathematics, importable without Django.

Notation of the field inside this package: ``x`` repeat purchase days, ``t_x`` time of the last
purchase and ``T`` length of observation (both counted from the first purchase), ``m`` mean amount
of the repeat purchase days. Arrays go in, arrays of the same shape come out; nothing reads a clock.
"""
