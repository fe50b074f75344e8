"""Reading a Kauri tree: texts, dot source, drawings, SQL, scikit-learn."""
