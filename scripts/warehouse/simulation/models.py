"""Two models, fitted to earlier bars: which way the next session goes, and how far it may go.

The classifier is trained again every RETRAIN sessions; the new version predicts in the shadow of
the champion until it takes its place.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np

from warehouse.simulation.features import FEATURE_VERSION, NAMES, Features, features
from warehouse.simulation.world import LOOKBACK, Floats, World, plain

RETRAIN = 25
"""Sessions between two versions."""
SHADOW = 15
"""Sessions that a version predicts before it becomes the champion."""
TRAINING = 250
"""Sessions a version learns from, where there are as many."""
RIDGE = (1.0, 3.0, 10.0)
"""Penalties of the versions in turn."""


@dataclass(frozen=True)
class Linear:
    """A fitted model: standardised features times weights."""

    model_id: str
    born: int
    weights: Floats
    mean: Floats
    scale: Floats

    def score(self, known: Features) -> float:
        """Return the linear score of one symbol."""
        values = (np.array([known[name] for name in NAMES]) - self.mean) / self.scale
        return float(np.append(values, 1.0) @ self.weights)


@dataclass
class Models:
    """The versions of both models, trained as the sessions pass."""

    world: World
    versions: list[Linear] = field(default_factory=list)
    volatility: Linear | None = None

    def advance(self, at: int) -> None:
        """Train what is due at the close of session `at`."""
        day = at - self.world.market.first
        if day % RETRAIN == 0:
            self.versions.append(self._direction(at, 1 + day // RETRAIN))
        if self.volatility is None:
            self.volatility = self._volatility(at)

    def champion(self, at: int) -> Linear:
        """Return the version that decides at a session."""
        ready = [v for v in self.versions if at >= v.born + SHADOW] or self.versions[:1]
        return ready[-1]

    def predict(self, at: int, symbol: str, known: Features) -> tuple[str, float]:
        """Write the predictions of a symbol; return the champion's id and its probability of up."""
        champion = self.champion(at)
        result = ("", 0.5)
        for version in self.versions:
            if version is not champion and at >= version.born + SHADOW:
                continue
            up = plain(_logistic(version.score(known)))
            prediction = self._emit(at, symbol, version, known, "price_direction", up)
            if version is champion:
                result = (prediction, up)
        if self.volatility:
            size = plain(float(np.exp(self.volatility.score(known))))
            self._emit(at, symbol, self.volatility, known, "volatility", size)
        return result

    def _emit(
        self, at: int, symbol: str, model: Linear, known: Features, kind: str, value: float
    ) -> str:
        decision = self.world.decision(at, symbol)
        classifies = kind == "price_direction"
        prediction_id = f"{decision}-{model.model_id.removeprefix(self.world.name + '-')}"
        self.world.emit(
            "raw_ml.predictions",
            prediction_id=prediction_id,
            model_id=model.model_id,
            symbol=symbol,
            timestamp=self.world.market.sessions[at].close_at + timedelta(minutes=2),
            prediction_type=kind,
            prediction_value=plain(2 * value - 1) if classifies else value,
            confidence=plain(max(value, 1 - value)) if classifies else None,
            class_probabilities={"up": value, "down": plain(1 - value)} if classifies else None,
            horizon_bars=1,
            timeframe="1d",
            features=known,
            feature_version=FEATURE_VERSION,
            correlation_id=decision,
        )
        return prediction_id

    def _samples(self, at: int) -> tuple[Floats, Floats, int]:
        """Return features and next returns of all symbols, the last return ending at `at`."""
        market = self.world.market
        start = max(LOOKBACK, at - TRAINING)
        inputs, outcomes = [], []
        for symbol in market.symbols:
            closes = market.closes[symbol]
            for session in range(start, at):
                known = features(market, symbol, session)
                inputs.append([known[name] for name in NAMES])
                outcomes.append(closes[session + 1] / closes[session] - 1)
        return np.array(inputs), np.array(outcomes), start

    def _direction(self, at: int, number: int) -> Linear:
        inputs, outcomes, start = self._samples(at)
        ups = (outcomes > 0).astype(float)
        scaled, mean, scale = _standardised(inputs)
        ridge = RIDGE[(number - 1) % len(RIDGE)]
        weights = np.zeros(scaled.shape[1])
        for _ in range(12):  # Newton's steps: a dozen is plenty for a convex loss
            chance = _logistics(scaled @ weights)
            slope = scaled.T @ (ups - chance) - ridge * weights
            bend = (scaled * (chance * (1 - chance))[:, None]).T @ scaled
            weights = weights + np.linalg.solve(bend + ridge * np.eye(len(weights)), slope)
        chance = np.clip(_logistics(scaled @ weights), 1e-9, 1 - 1e-9)
        metrics = {
            "accuracy": plain(np.mean((chance > 0.5) == (ups > 0.5))),
            "log_loss": plain(-np.mean(ups * np.log(chance) + (1 - ups) * np.log(1 - chance))),
        }
        model = Linear(f"{self.world.name}-direction-v{number}", at, weights, mean, scale)
        self._emit_run(at, model, start, len(ups), {"ridge": ridge}, metrics)
        return model

    def _volatility(self, at: int) -> Linear:
        inputs, outcomes, start = self._samples(at)
        scaled, mean, scale = _standardised(inputs)
        # The log of the size of a return lies 0.635 below the log of a normal's deviation.
        sizes = np.log(np.maximum(np.abs(outcomes), 1e-4)) + 0.635
        gram = scaled.T @ scaled + np.eye(scaled.shape[1])
        weights = np.asarray(np.linalg.solve(gram, scaled.T @ sizes), dtype=np.float64)
        metrics = {"rmse_log": plain(np.sqrt(np.mean((scaled @ weights - sizes) ** 2)))}
        model = Linear(f"{self.world.name}-volatility-v1", at, weights, mean, scale)
        self._emit_run(at, model, start, len(sizes), {"ridge": 1.0}, metrics)
        return model

    def _emit_run(
        self,
        at: int,
        model: Linear,
        start: int,
        samples: int,
        parameters: dict[str, float],
        metrics: dict[str, float],
    ) -> None:
        sessions = self.world.market.sessions
        began = sessions[at].close_at + timedelta(seconds=30)
        self.world.emit(
            "raw_ml.model_training_runs",
            training_run_id=f"{model.model_id}-run",
            model_id=model.model_id,
            started_at=began,
            finished_at=began + timedelta(seconds=20),
            status="succeeded",
            train_from=sessions[start].open_at,
            train_until=sessions[at].close_at,
            training_rows=samples,
            feature_version=FEATURE_VERSION,
            parameters=parameters,
            metrics=metrics,
            random_seed=self.world.seed,
            correlation_id=f"{self.world.name}-{self.world.day(at)}-training",
        )

    def emit_models(self, at: int) -> None:
        """Write every version with the status it has after the last session."""
        runs = {row["model_id"]: row for row in self.world.rows["raw_ml.model_training_runs"]}
        champion = self.champion(at)
        everyone = [*self.versions, *([self.volatility] if self.volatility else [])]
        for model in everyone:
            run = runs[model.model_id]
            name, version = model.model_id.removeprefix(self.world.name + "-").split("-v")
            older = model in self.versions and model.born < champion.born
            shadow = model in self.versions and model.born > champion.born
            self.world.emit(
                "raw_ml.models",
                model_id=model.model_id,
                name=f"{name}_model",
                version=f"{version}.0.0+{self.world.name}",
                model_type="logistic_regression" if name == "direction" else "linear_regression",
                parameters={**run["parameters"], "features": list(NAMES)},
                metrics=run["metrics"],
                status="retired" if older else "shadow" if shadow else "active",
                created_at=run["finished_at"],
            )


def _standardised(inputs: Floats) -> tuple[Floats, Floats, Floats]:
    """Return standardised inputs with a column of ones, and what standardises them."""
    mean = inputs.mean(axis=0)
    scale = np.maximum(inputs.std(axis=0), 1e-9)
    scaled = (inputs - mean) / scale
    return np.column_stack([scaled, np.ones(len(scaled))]), mean, scale


def _logistic(score: float) -> float:
    return float(_logistics(np.array([score]))[0])


def _logistics(scores: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(scores, -30, 30))))
