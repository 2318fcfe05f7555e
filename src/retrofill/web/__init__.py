"""How pages look: plain values in, HTML out; `api` answers with it. Pages hold neither script nor style of their own."""
