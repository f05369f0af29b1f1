"""What other people's code says of a curve of returns, and of round trips."""

from __future__ import annotations

import empyrical
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from backtest_rows import Book


def ratio(returns: pd.Series) -> float:
    """Return a Sharpe ratio that is not annualised."""
    return float(empyrical.sharpe_ratio(returns)) / np.sqrt(252)


def probability(returns: np.ndarray, benchmark: float, observations: float = 0) -> float:
    """Return the probabilistic Sharpe ratio of Bailey and López de Prado (2012), equation 10."""
    sharpe = returns.mean() / returns.std(ddof=1)
    skewness, kurtosis = stats.skew(returns), stats.kurtosis(returns, fisher=False)
    error = np.sqrt(
        (1 - skewness * sharpe + (kurtosis - 1) / 4 * sharpe**2)
        / ((observations or len(returns)) - 1)
    )
    return float(stats.norm.cdf((sharpe - benchmark) / error))


def measured(curve: pd.DataFrame) -> dict[str, float | None]:
    """Return what empyrical and scipy say of a curve; None where the mart shall have NULL."""
    returns = curve["session_return"]
    varied = returns.nunique() > 1
    wealth = empyrical.cum_returns(returns, starting_value=1)
    below = (wealth / wealth.cummax().clip(lower=1) - 1 < -1e-13).to_numpy()
    spells = np.cumsum(~below)
    lengths = np.bincount(spells[below]) if below.any() else np.zeros(1, int)
    deepest = int(np.argmin((wealth / wealth.cummax().clip(lower=1)).to_numpy()))
    losses = bool((returns < 0).any())
    with pytest.MonkeyPatch.context() as patch:
        # The name that numpy 2 took away from empyrical 0.5.
        patch.setattr(np, "NINF", -np.inf, raising=False)
        sortino = float(empyrical.sortino_ratio(returns))
    return {
        "sessions": len(returns),
        "total_return": float(empyrical.cum_returns_final(returns)),
        "net_profit": float(curve["equity"].iloc[-1] - 100_000),
        "cagr": float(empyrical.annual_return(returns)),
        "annual_volatility": float(empyrical.annual_volatility(returns)) if varied else None,
        "sharpe": float(empyrical.sharpe_ratio(returns)) if varied else None,
        "sortino": sortino if losses else None,
        "calmar": float(empyrical.calmar_ratio(returns)) if losses else None,
        "max_drawdown": float(empyrical.max_drawdown(returns)),
        "max_drawdown_sessions": int(lengths[spells[deepest]]) if below.any() else 0,
        "longest_drawdown_sessions": int(lengths.max()),
        "skewness": float(stats.skew(returns)) if varied else None,
        "kurtosis": float(stats.kurtosis(returns, fisher=False)) if varied else None,
        "annual_turnover": float(curve["turnover"].mean() * 252),
        "mean_exposure": float(curve["exposure"].mean()),
        "time_in_market": float((curve["positions"] > 0).mean()),
    }


def round_trips(book: Book) -> dict[str, float | None]:
    """Return the numbers of round trips; None where the mart shall have NULL."""
    closed = pd.Series(book.closed(), dtype=float)
    # Between them lies what came out at 0 but for rounding.
    wins, losses = closed[closed > 1e-9], closed[closed < -1e-9]
    return {
        "round_trips": len(closed),
        "open_trips": sum(1 for units in book.units.values() if units),
        "hit_rate": len(wins) / len(closed) if len(closed) else None,
        "profit_factor": wins.sum() / -losses.sum() if len(losses) else None,
        "average_trade": closed.mean() if len(closed) else None,
        "average_win": wins.mean() if len(wins) else None,
        "average_loss": losses.mean() if len(losses) else None,
    }
