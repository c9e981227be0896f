"""One error type for everything a visitor can get wrong."""


class Problem(ValueError):
    """A refusal that a visitor should read in their own language.

    `key` names a sentence in `assets/strings/` (without the leading "problem."); `values` fill its {braces}. `str()` of it is for the log.
    """

    def __init__(self, key: str, **values: object):
        self.key = key
        self.values = values
        super().__init__(f"{key}: " + ", ".join(f"{name}={value!r}" for name, value in values.items()) if values else key)
