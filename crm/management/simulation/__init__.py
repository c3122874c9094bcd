"""A believable shop that does not exist: pure generators, and the one loader that writes them.

Everything follows from a seed and a day. Names are common given and family names combined at random, addresses
end in domains reserved for documentation, and the telephone numbers are not in service.
"""
