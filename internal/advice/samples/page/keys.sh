#!/bin/sh
set -e
# region keys: Make a key pair
openssl genrsa -out private.pem 2048          # stays on the server; never in the repository
openssl rsa -in private.pem -outform PEM -pubout -out public.pem
cat public.pem                                # paste this into Settings → Kindly Chat → Authentication
# endregion
