"""The comparison in results/: which learners, on which budget, and how it is run and reported.

python -m langrearrange_baselines.study.run --out out/study      # hours on two cores; resumes
python -m langrearrange_baselines.study.report --runs out/study --out results
"""
