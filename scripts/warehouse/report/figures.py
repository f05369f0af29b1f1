"""Figures of the report, as plotly's JSON; colours that carry no meaning are left to the page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from warehouse.report.facts import Coverage, Prices, Row

Figure = dict[str, Any]

UP, DOWN, BLUE, AMBER, GREY = "#1a9c7b", "#d1495b", "#3b7dd8", "#d98e04", "#8b95a5"
BAND = "rgba(59,125,216,0.10)"
# Perceptually ordered and safe for red-green blindness: pale sand (empty) to deep blue (complete).
FILLED = [[0, "#f3e3c3"], [0.5, "#8fb8d0"], [0.9, "#3f7fb5"], [1, "#1d4e89"]]
SIGNIFICANT = 7
"""Digits kept: more cannot be seen, and would double the size of the file."""


def short(value: Any) -> float | None:  # noqa: ANN401 (a number of any type, or None)
    """Return a number with the digits that a plot can show."""
    return None if value is None else float(f"{float(value):.{SIGNIFICANT}g}")


def column(rows: Iterable[Row], name: str) -> list[float | None]:
    """Return one column of rows, shortened."""
    return [short(row[name]) for row in rows]


def figure(traces: list[dict[str, Any]], height: int, **layout: Any) -> Figure:  # noqa: ANN401
    """Return a figure with the layout they all share."""
    shared = {
        "height": height,
        "margin": {"l": 70, "r": 20, "t": 10, "b": 45},
        "hoverlabel": {"align": "left"},
        "showlegend": False,
    }
    return {"data": traces, "layout": {**shared, **layout}}


def price_figure(prices: Prices) -> Figure:
    """Candles with averages and bands; below them volume, RSI and MACD on the same axis."""
    rows = prices.rows
    labels = [row["label"] for row in rows]

    def line(name: str, label: str, colour: str, axis: str = "y", **more: Any) -> dict[str, Any]:  # noqa: ANN401
        style = {"color": colour, "width": 1.4, **more.pop("line", {})}
        values = column(rows, name)
        return {
            **{"type": "scatter", "mode": "lines", "name": label, "x": labels, "y": values},
            **{"yaxis": axis, "line": style, **more},
        }

    lower: dict[str, Any] = {
        "line": {"width": 0.6},
        "fill": "tonexty",
        "fillcolor": BAND,
        "legendgroup": "bands",
        "showlegend": False,
    }
    rising = [UP if row["close"] >= row["open"] else DOWN for row in rows]
    histogram = [UP if (row["macd_hist"] or 0) >= 0 else DOWN for row in rows]
    traces = [
        line("bb_upper", "Bollinger 20, 2 sd", BLUE, line={"width": 0.6}, legendgroup="bands"),
        line("bb_lower", "Bollinger, lower", BLUE, **lower),
        {
            **{"type": "candlestick", "name": "Price", "x": labels, "yaxis": "y"},
            **{name: column(rows, name) for name in ("open", "high", "low", "close")},
            "increasing": {"line": {"color": UP, "width": 1}, "fillcolor": UP},
            "decreasing": {"line": {"color": DOWN, "width": 1}, "fillcolor": DOWN},
        },
        line("sma_20", "SMA 20", BLUE),
        line("sma_50", "SMA 50", AMBER),
        {
            **{"type": "bar", "name": "Volume", "x": labels, "y": column(rows, "volume")},
            **{"yaxis": "y2", "marker": {"color": rising, "line": {"width": 0}}},
            **{"opacity": 0.7, "showlegend": False},
        },
        line("rsi_14", "RSI 14", BLUE, "y3", showlegend=False),
        {
            **{"type": "bar", "name": "MACD histogram", "x": labels},
            **{"y": column(rows, "macd_hist"), "yaxis": "y4", "showlegend": False},
            **{"marker": {"color": histogram, "line": {"width": 0}}, "opacity": 0.6},
        },
        line("macd", "MACD 12, 26", BLUE, "y4", showlegend=False),
        line("macd_signal", "Signal 9", AMBER, "y4", showlegend=False),
    ]
    limits = [
        {
            **{"type": "line", "xref": "paper", "x0": 0, "x1": 1, "yref": "y3", "y0": y, "y1": y},
            "line": {"color": GREY, "width": 1, "dash": "dot"},
        }
        for y in (30, 70)
    ]
    unit = f" ({prices.currency})" if prices.currency else ""
    return figure(
        traces,
        760,
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 1.06},
        margin={"l": 70, "r": 20, "t": 40, "b": 60},
        bargap=0.25,
        hovermode="x unified",
        shapes=limits,
        xaxis={
            **{"type": "category", "anchor": "y4", "nticks": 7, "tickangle": 0},
            **{"rangeslider": {"visible": False}, "title": {"text": axis_of_time(prices)}},
        },
        yaxis={"domain": [0.5, 1], "title": {"text": f"Price{unit}"}},
        yaxis2={"domain": [0.355, 0.465], "title": {"text": "Volume"}, "nticks": 4},
        yaxis3={
            **{"domain": [0.19, 0.32], "title": {"text": "RSI"}, "range": [0, 100]},
            "tickvals": [0, 30, 70, 100],
        },
        yaxis4={"domain": [0, 0.155], "title": {"text": f"MACD{unit}"}, "nticks": 5},
    )


def axis_of_time(prices: Prices) -> str:
    """Return the title of the time axis."""
    daily = len(prices.rows[0]["label"]) == len("2000-01-01")
    return "Session" if daily else f"Start of bar ({prices.timezone})"


def percent(filled: int, bars: int) -> float:
    """Return a share that is 100 only when nothing is missing."""
    return 100.0 if filled == bars else min(round(100 * filled / bars, 1), 99.9)


def heatmap(rows: list[str], columns: list[str], shares: list[list[float]], height: int) -> Figure:
    """Return coverage as a heatmap."""
    trace = {
        **{"type": "heatmap", "x": columns, "y": rows, "z": shares, "zmin": 0, "zmax": 100},
        **{"colorscale": FILLED, "xgap": 1, "ygap": 1},
        "hovertemplate": "%{y}, %{x}<br>%{z:.1f} % filled<extra></extra>",
        "colorbar": {
            **{"title": {"text": "filled", "side": "right"}, "ticksuffix": " %", "thickness": 12},
            **{"outlinewidth": 0, "lenmode": "pixels", "len": min(height - 60, 240), "y": 1},
            "yanchor": "top",
        },
    }
    return figure(
        [trace],
        height,
        margin={"l": 200, "r": 20, "t": 10, "b": 60},
        xaxis={"type": "category", "nticks": 10, "tickangle": 0, "showgrid": False},
        yaxis={"autorange": "reversed", "type": "category", "showgrid": False, "dtick": 1},
    )


def period_label(coverage: Coverage, index: int) -> str:
    """Return a period as people write it."""
    first = coverage.periods[index]
    quarter = f"{first.year} Q{(first.month + 2) // 3}"
    forms = {"day": first.isoformat(), "month": f"{first:%Y-%m}", "quarter": quarter}
    return forms.get(coverage.unit, str(first.year))


def family_figure(coverage: Coverage) -> Figure:
    """Coverage of each family: the mean of its features."""
    families = list(dict.fromkeys(coverage.families))
    shares = []
    for family in families:
        own = [
            f for f, name in zip(coverage.filled, coverage.families, strict=True) if name == family
        ]
        totals = [sum(values) for values in zip(*own, strict=True)]
        shares.append(
            [percent(t, len(own) * bars) for t, bars in zip(totals, coverage.bars, strict=True)]
        )
    labels = [period_label(coverage, k) for k in range(len(coverage.periods))]
    names = [f"{family} ({coverage.families.count(family)})" for family in families]
    chart = heatmap(names, labels, shares, 90 + 26 * len(families))
    chart["layout"]["xaxis"]["title"] = {"text": f"{coverage.unit.capitalize()} of the session"}
    return chart


def feature_figure(coverage: Coverage) -> Figure:
    """Coverage of every single feature."""
    labels = [period_label(coverage, k) for k in range(len(coverage.periods))]
    shares = [
        [percent(f, bars) for f, bars in zip(row, coverage.bars, strict=True)]
        for row in coverage.filled
    ]
    chart = heatmap(coverage.features, labels, shares, 90 + 13 * len(coverage.features))
    chart["layout"]["yaxis"]["tickfont"] = {"size": 10}
    chart["layout"]["xaxis"]["title"] = {"text": f"{coverage.unit.capitalize()} of the session"}
    return chart


def models_figure(models: list[Row]) -> Figure:
    """Seconds of each model in the latest build, slowest on top."""
    failed = ("error", "fail")
    trace = {
        **{"type": "bar", "orientation": "h", "x": column(models, "seconds")},
        "y": [row["model"] for row in models],
        "marker": {"color": [DOWN if row["status"] in failed else BLUE for row in models]},
        "text": [f"{row['seconds']:.2f}" for row in models],
        **{"textposition": "outside", "cliponaxis": False},
        "customdata": [
            f"{row['rows']:,} rows" if row["rows"] is not None else "view" for row in models
        ],
        "hovertemplate": "%{y}<br>%{x:.3f} s, %{customdata}<extra></extra>",
    }
    return figure(
        [trace],
        70 + 22 * len(models),
        bargap=0.35,
        margin={"l": 230, "r": 50, "t": 10, "b": 45},
        xaxis={"title": {"text": "Seconds"}, "rangemode": "tozero"},
        yaxis={"autorange": "reversed", "type": "category", "showgrid": False},
    )


def runs_figure(runs: list[Row]) -> Figure:
    """Seconds of the last builds, models and tests apart."""
    # Runs are evenly spaced: what counts is the sequence, and a quiet week is no gap in it.
    labels = [f"{row['finished_at']:%Y-%m-%d %H:%M:%S}" for row in runs]
    traces = [
        {
            **{"type": "bar", "name": name, "x": labels, "y": column(runs, key)},
            "marker": {"color": colour},
            "customdata": [f"{row['rows']:,}" if row["rows"] is not None else "0" for row in runs],
            "hovertemplate": "%{y:.2f} s, %{customdata} feature rows written",
        }
        for name, key, colour in (
            ("Models", "model_seconds", BLUE),
            ("Tests", "test_seconds", GREY),
        )
    ]
    return figure(
        traces,
        280,
        barmode="stack",
        bargap=max(0.35, 1 - 0.06 * len(runs)),
        showlegend=True,
        hovermode="x unified",
        legend={"orientation": "h", "x": 0, "y": 1.15, "traceorder": "normal"},
        margin={"l": 70, "r": 20, "t": 30, "b": 60},
        xaxis={
            **{"type": "category", "nticks": 6, "tickangle": 0},
            "title": {"text": "End of build (UTC)"},
        },
        yaxis={"title": {"text": "Seconds of work"}, "rangemode": "tozero"},
    )
