"""The comparison in results/: which learners, on which budget, and how it is run and reported.

python -m langrearrange_baselines.proof.run --out out/proof      # hours on two cores; resumes
python -m langrearrange_baselines.proof.report --runs out/proof --out results
"""
