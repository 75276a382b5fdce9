"""The command line: ``main`` and one module a verb, named as the verb.

A verb's module declares its arguments and, once it is called, imports what it needs: so
``rlcs --help`` answers at once.
"""
