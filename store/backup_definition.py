"""Every setting of `[backup]`, an agent's and a proxy's, and what is wrong there."""

import re

from store.settings import MIB, BackupSettings
from touchpoints.definition_kind import FLAG, PATH, SECRET, integer, simple, size
from touchpoints.definition_setting import Mistake, Reading, Setting, shown

PASSPHRASE = 12  # characters, at least: unlike a password it can be tried without us
_LARGEST = 2**60
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


def time_of_day(value: str) -> str:
    """HH:MM; empty: never."""
    if value and not _TIME.fullmatch(value):
        raise Mistake("not_a_time", found=shown(value))
    return value


def _backup(more: Setting) -> tuple[Setting, ...]:
    return (
        Setting(
            "at", simple("a time of day, HH:MM", str, time_of_day), "02:30", "When a backup is made each night; empty: never."
        ),
        Setting("folder", PATH, "", "Where backups are kept; empty: `backups` in the data folder."),
        Setting("keep", integer(1, 1000), 7, "How many are kept, the newest."),
        Setting("size", size(MIB, _LARGEST), "1GiB", "Room for all that are kept."),
        Setting(
            "passphrase", SECRET, "", "Seals the key file into each backup; without it, keep a copy of secret.key elsewhere."
        ),
        more,
    )


BACKUP = _backup(Setting("bodies", FLAG, False, "Also the bodies of settled events, so that they can be run again."))
SERVER_BACKUP = _backup(
    Setting("acknowledged", FLAG, False, "Also what agents took and settled, so that they can seek back to it.")
)


def check_backup(backup: BackupSettings, reading: Reading) -> None:
    """A passphrase that is too short to be of use."""
    if backup.passphrase and len(backup.passphrase) < PASSPHRASE:
        reading.wrong("backup_passphrase_short", "backup.passphrase", least=PASSPHRASE)
