"""What scripts read of a .data file and of the lists that it names, as the program does. Errors end the script in one line."""
import os
import re
import sys


def fail(text):
    sys.exit("scripts/%s: %s" % (os.path.basename(sys.argv[0]), text))


def read(path):
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            return file.read()
    except OSError as error:
        fail("%s: %s" % (path, error.strerror))


def key(text, name):
    """The value of a key of a .data file, without what stands behind a # or ;, or None."""
    match = re.search(r"^\s*%s\s*=(.*)$" % name, text, re.M)
    return re.sub(r"\s[#;].*", "", match.group(1)).strip() or None if match else None


def lines_of(path):
    return [line.strip() for line in read(path).splitlines() if line.strip()]
