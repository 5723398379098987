"""g4f's server in front of one upstream: `<g4f's python> -P peer_g4f.py PORT URL_OF_THE_UPSTREAM`."""

import sys

from g4f.client.factory import AbstractClientFactory

port, upstream = int(sys.argv[1]), sys.argv[2]
# Else it would ask its own site for the list of providers at its start.
AbstractClientFactory._live_providers = {"providers": {"default": {"baseUrl": upstream}}, "defaultModels": {}}

from g4f.api import run_api  # noqa: E402
from g4f.Provider.needs_auth.Custom import Custom  # noqa: E402

Custom.base_url = upstream
Custom.models = Custom.image_models = ["flux"]
Custom.default_model = "flux"
run_api(host="127.0.0.1", port=port, access_log=False)
