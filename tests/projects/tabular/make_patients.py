"""Write patients.csv from scikit-learn's diabetes data: numbers, categories and a score."""

from pathlib import Path

import pandas as pd
from sklearn.datasets import load_diabetes

FOLDER = Path(__file__).parent


def main():
    """Write the file beside this script."""
    bunch = load_diabetes(as_frame=True, scaled=False)
    frame = bunch.data.rename(columns={"s1": "tc", "s2": "ldl", "s3": "hdl", "s6": "glucose"})
    frame["sex"] = frame["sex"].map({1.0: "female", 2.0: "male"})
    frame["age_group"] = pd.cut(
        frame["age"], [0, 35, 50, 65, 120], labels=["young", "middle", "older", "old"]
    )
    frame["hypertension"] = frame["bp"] > 100
    columns = ["age_group", "sex", "hypertension", "bmi", "bp", "tc", "ldl", "hdl", "glucose"]
    frame = frame[columns].assign(progression=bunch.target.astype(int))
    frame.to_csv(FOLDER / "patients.csv", index_label="patient_id")


if __name__ == "__main__":
    main()
