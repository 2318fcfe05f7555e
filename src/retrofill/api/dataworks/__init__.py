"""DataWorks' public RPC API, version 2024-05-18, so that its official SDK works unchanged.

A request is a `POST /` or `GET /` with the header `x-acs-action`; everything else at that address is not for here.
Its convention: what is signed is checked before anything is looked at (`signature`), fields are read by a table
(`actions`), the operation center is asked in the name of whom the access key belongs to, and its documents are
put into the API's words (`words`, `shapes`). Whatever happens, the answer is JSON in the API's own shape.
"""
