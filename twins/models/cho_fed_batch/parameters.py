"""Constants of the CHO model, each with its source.

Kornecki M, Strube J. Process Analytical Technology for Advanced Process Control in Biologics
Manufacturing with the Aid of Macroscopic Kinetic Modeling. Bioengineering 2018, 5(1):25, Table 2.
Its references: [49] Xing 2010 (Markov chain Monte Carlo), [50] differential evolution; "exp" are
the authors' own experiments. One unit of cells here is 1e9, so that a concentration in 1e9 cells
a litre is the number in 1e6 cells a millilitre, and rates are those in
1e-12 a cell divided by a thousand.
"""

from twins.models.declarations import Parameter

_TABLE = "Kornecki & Strube 2018, Bioengineering 5:25, Table 2"
_EXP = f"{_TABLE}, exp"
_49 = f"{_TABLE}, [49]"
_50 = f"{_TABLE}, [50]"
_OWN = "numerical safeguard of this implementation, not in the source"

PARAMETERS: tuple[Parameter, ...] = (
    Parameter("mu_max", 0.039, "/h", _EXP, 0.02, 0.06),
    Parameter("k_d", 0.004, "/h", _EXP, 0.001, 0.02),
    Parameter("k_glc", 1.00, "mmol/L", _50, 0.1, 5.0),
    Parameter("k_gln", 0.047, "mmol/L", _49, 0.01, 0.5),
    Parameter("ki_lac", 43.0, "mmol/L", _49, 20.0, 100.0),
    Parameter("ki_amm", 6.51, "mmol/L", _49, 2.0, 20.0),
    Parameter("kd_lac", 45.8, "mmol/L", _49, 20.0, 100.0),
    Parameter("kd_amm", 6.51, "mmol/L", _49, 2.0, 20.0),
    Parameter("y_x_glc", 0.357, "10*9/mmol", _EXP, 0.15, 0.8),
    Parameter("y_x_gln", 0.974, "10*9/mmol", _49, 0.4, 2.0),
    Parameter("y_lac_glc", 0.70, "mmol/mmol", _EXP, 0.0, 2.0),
    Parameter("y_amm_gln", 0.67, "mmol/mmol", _49, 0.3, 1.0),
    Parameter("r_amm", 6.3e-3, "mmol/10*9/h", _49, 0.0, 2.0e-2),
    Parameter("m_glc", 69.2e-3, "mmol/10*9/h", _49, 2.0e-2, 2.0e-1),
    Parameter("a1", 3.2e-3, "mmol/10*9/h", _49, 0.0, 1.0e-2),
    Parameter("a2", 2.1, "mmol/L", _49, 0.5, 10.0),
    Parameter("q_mab", 1.51e-3, "g/10*9/h", _EXP, 0.5e-3, 4.0e-3),
    # Without these two, maintenance and ammonium removal would go on at zero concentration.
    Parameter("k_maintenance", 0.5, "mmol/L", _OWN, 0.1, 1.0),
    Parameter("k_removal", 0.1, "mmol/L", _OWN, 0.05, 0.5),
)

VALUES: dict[str, float] = {one.name: one.value for one in PARAMETERS}
