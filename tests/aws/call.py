"""Requests to AWS: each line in is [service, operation, arguments], each line out {"done": answer} or {"failed": why}."""

import json
import sys

import boto3

clients = {}
for line in sys.stdin:
    service, operation, arguments = json.loads(line)
    try:
        if service not in clients:
            clients[service] = boto3.client(service)
        answer = getattr(clients[service], operation)(**arguments)
        answer.pop("ResponseMetadata", None)
        said = {"done": answer}
    except Exception as error:  # whatever it is, the one who asked is told
        said = {"failed": f"{service} {operation}: {error}"}
    print(json.dumps(said, default=str), flush=True)
