"""Real clients of the OpenAI Images API, unmodified: each asks for one picture and tells how it went.

`in_python` holds those of the project's environment, `as_process` the others. `setup.sh` installs what they need.
"""
