"""The paper's tables and figures: which arms, on which budget, and how they are run and reported.

python -m langrearrange_baselines.study list          # every study and what it costs
python -m langrearrange_baselines.study run main      # hours on two cores; resumes
python -m langrearrange_baselines.study report main   # results/main
"""
