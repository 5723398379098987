"""Encrypts the values of SecureStrings in the saved state: MiniStack 1.5.33 writes them in clear.

The key is the root key's, which lies beside the state. It keeps credentials out of copies of the state file alone, and
out of the results of a search of the disk.
"""

import base64
import logging
from collections.abc import Callable
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from ministack.core.responses import AccountRegionScopedDict
from ministack.services import ssm

from imagegate.local.root_credentials import RootCredentials

State = dict[str, Any]
Record = dict[str, Any]

_MARK = "Encrypted"
_VALUES = ("Value", "OriginalValue")


def mend(root: RootCredentials) -> None:
    """Encrypt from now on what is saved, and decrypt what is loaded; call it once."""
    cipher = Fernet(base64.urlsafe_b64encode(root.derive("saved state")))
    get_state, load = ssm.get_state, ssm.load_persisted_state
    ssm.get_state = lambda: _changed(get_state(), lambda record: _encrypted(cipher, record))
    ssm.load_persisted_state = lambda saved: load(_changed(saved, lambda record: _decrypted(cipher, record)))


def _changed(state: State, change: Callable[[Record], Record | None]) -> State:
    """Return the state with every parameter, and every version of its past, changed; None drops it."""
    parameters, history = AccountRegionScopedDict(), AccountRegionScopedDict()
    for key, record in state["parameters"].all_items():
        if changed := change(record):
            parameters.set_scoped(*key, changed)
    for key, records in state["parameter_history"].all_items():
        history.set_scoped(*key, [changed for record in records if (changed := change(record))])
    return {**state, "parameters": parameters, "parameter_history": history}


def _encrypted(cipher: Fernet, record: Record) -> Record:
    if record["Type"] != "SecureString":
        return record
    return {**record, _MARK: True, **{name: cipher.encrypt(record[name].encode()).decode() for name in _VALUES}}


def _decrypted(cipher: Fernet, record: Record) -> Record | None:
    if _MARK not in record:
        return record
    try:
        values = {name: cipher.decrypt(record[name]).decode() for name in _VALUES}
    except InvalidToken:
        logging.warning("%s was encrypted under another root key and is gone; set it again", record["Name"])
        return None
    return {name: value for name, value in {**record, **values}.items() if name != _MARK}
