"""texts.json: what Keras prints, byte for byte. Three lists, see progress.py and summaries.py."""

import progress
import summaries


def cases():
    return {"cases": progress.bars(), "fits": progress.fits(), "summaries": summaries.cases()}
