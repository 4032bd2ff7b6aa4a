"""Panels of Grafana's dashboards as we use them: few kinds, one look, laid out by themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

SOURCE = {"type": "prometheus", "uid": "ladder-prometheus"}
COLUMNS = 24
"""Of Grafana's grid."""
_LAST = {"calcs": ["lastNotNull"], "fields": "", "values": False}
_LINES = {"lineWidth": 1, "fillOpacity": 5, "showPoints": "never"}


@dataclass(frozen=True)
class Ask:
    """A query, and what its series are called."""

    expression: str
    legend: str = ""


@dataclass(frozen=True)
class Panel:
    """One panel. `says` is what a person needs to know to read it; `bad` the value from which on
    it is red; `good` the value below which it is.
    """

    kind: str
    title: str
    asks: tuple[Ask, ...]
    says: str = ""
    unit: str = "short"
    wide: int = 12
    high: int = 8
    stacked: bool = False
    whole: bool = False
    lowest: bool = True
    empty: str = ""
    bad: float | None = None
    good: float | None = None
    options: dict[str, Any] = field(default_factory=dict)
    transformations: tuple[dict[str, Any], ...] = ()

    def at(self, number: int, x: int, y: int) -> dict[str, Any]:
        """Return the panel as Grafana's JSON."""
        found: dict[str, Any] = {
            "id": number,
            "type": self.kind,
            "title": self.title,
            "datasource": SOURCE,
            "gridPos": {"x": x, "y": y, "w": self.wide, "h": self.high},
            "targets": [self._target(place, ask) for place, ask in enumerate(self.asks)],
            "fieldConfig": {"defaults": self._defaults(), "overrides": []},
            "options": self.options,
        }
        if self.says:
            found["description"] = self.says
        if self.transformations:
            found["transformations"] = list(self.transformations)
        return found

    def _target(self, place: int, ask: Ask) -> dict[str, Any]:
        target: dict[str, Any] = {
            "refId": chr(ord("A") + place),
            "datasource": SOURCE,
            "expr": ask.expression,
            "legendFormat": ask.legend,
            "editorMode": "code",
        }
        if self.kind in ("table", "bargauge", "piechart"):
            target |= {"instant": True, "range": False}
        if self.kind == "table":
            target["format"] = "table"
        return target

    def _defaults(self) -> dict[str, Any]:
        found: dict[str, Any] = {"unit": self.unit, "custom": self._custom()}
        if self.lowest:
            found["min"] = 0
        if self.whole:
            found["decimals"] = 0
        if self.empty:
            found["noValue"] = self.empty
        if self.bad is not None or self.good is not None:
            first, then = ("green", "red") if self.bad is not None else ("red", "green")
            edge = self.bad if self.bad is not None else self.good
            steps = [{"color": first, "value": None}, {"color": then, "value": edge}]
            found["thresholds"] = {"mode": "absolute", "steps": steps}
            found["color"] = {"mode": "thresholds"}
        return found

    def _custom(self) -> dict[str, Any]:
        if self.kind != "timeseries":
            return {}
        stacking = {"mode": "normal" if self.stacked else "none", "group": "A"}
        return {**_LINES, "fillOpacity": 20 if self.stacked else 5, "stacking": stacking}


@dataclass(frozen=True)
class Row:
    """A heading, and the panels under it in reading order."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Board:
    """A dashboard; `leads_to` are titles and uids of others, `chosen` the variables to choose by:
    name, label, the metric it is a label of, and the first choice.
    """

    uid: str
    title: str
    says: str
    since: str
    rows: tuple[Row, ...]
    leads_to: tuple[tuple[str, str], ...]
    chosen: tuple[tuple[str, str, str, str], ...] = ()

    def render(self) -> dict[str, Any]:
        """Return the dashboard as Grafana's JSON."""
        return {
            "uid": self.uid,
            "title": self.title,
            "description": self.says,
            "tags": ["loyalty-ladder"],
            "editable": False,
            "graphTooltip": 1,
            "schemaVersion": 39,
            "version": 1,
            "refresh": "10s",
            "time": {"from": self.since, "to": "now"},
            "timezone": "browser",
            "templating": {"list": [_variable(*each) for each in self.chosen]},
            "annotations": {"list": []},
            "links": [_link(*each) for each in self.leads_to],
            "panels": list(_laid_out(self.rows)),
        }


def stat(title: str, *asks: Ask, wide: int = 4, **more: Any) -> Panel:
    """Return one number, or a few side by side."""
    options = {
        "reduceOptions": _LAST,
        "colorMode": "value",
        "graphMode": "none",
        "textMode": "value_and_name",
    }
    panel = Panel("stat", title, asks, wide=wide, high=4, options=options)
    return replace(panel, **more)


def lines(title: str, *asks: Ask, **more: Any) -> Panel:
    """Return a graph over time."""
    options = {
        "legend": {"displayMode": "list", "placement": "bottom"},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    return replace(Panel("timeseries", title, asks, options=options), **more)


def bars(title: str, *asks: Ask, **more: Any) -> Panel:
    """Return bars of what is so now."""
    options = {
        "reduceOptions": _LAST,
        "orientation": "horizontal",
        "displayMode": "basic",
        "showUnfilled": True,
    }
    return replace(Panel("bargauge", title, asks, whole=True, options=options), **more)


def shares(title: str, *asks: Ask, **more: Any) -> Panel:
    """Return parts of a whole."""
    legend = {"displayMode": "table", "placement": "right", "values": ["value", "percent"]}
    options = {"reduceOptions": _LAST, "pieType": "donut", "legend": legend}
    panel = Panel("piechart", title, asks, whole=True, lowest=False, options=options)
    return replace(panel, **more)


def table(title: str, ask: Ask, columns: Sequence[str], **more: Any) -> Panel:
    """Return a table of labels in this order; a column `Value` is named by `value`."""
    named = more.pop("value", "")
    order = {name: place for place, name in enumerate(columns)}
    hidden = {"Time": True} if named else {"Time": True, "Value": True}
    organize: dict[str, Any] = {"excludeByName": hidden, "indexByName": order}
    steps = [{"id": "organize", "options": organize}]
    if named:
        organize["renameByName"] = {"Value": named}
        steps.append({"id": "sortBy", "options": {"sort": [{"field": named, "desc": True}]}})
    panel = Panel("table", title, (ask,), lowest=False, transformations=tuple(steps))
    return replace(panel, **more)


def _laid_out(rows: Sequence[Row]) -> Iterator[dict[str, Any]]:
    number, y = 1, 0
    for row in rows:
        place = {"x": 0, "y": y, "w": COLUMNS, "h": 1}
        yield {
            "id": number, "type": "row", "title": row.title, "collapsed": False, "panels": [],
            "gridPos": place,
        }  # fmt: skip
        number, y, x, high = number + 1, y + 1, 0, 0
        for panel in row.panels:
            if x + panel.wide > COLUMNS:
                x, y, high = 0, y + high, 0
            yield panel.at(number, x, y)
            number, x, high = number + 1, x + panel.wide, max(high, panel.high)
        y += high


def _variable(name: str, label: str, metric: str, first: str) -> dict[str, Any]:
    asked = f"label_values({metric}, {name})"
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": SOURCE,
        "refresh": 2,
        "sort": 1,
        "multi": False,
        "includeAll": False,
        "definition": asked,
        "query": {"query": asked, "refId": name},
        "current": {"text": first, "value": first},
        "options": [],
        "hide": 0,
    }


def _link(title: str, uid: str) -> dict[str, Any]:
    return {
        "title": title,
        "type": "link",
        "url": f"/d/{uid}",
        "icon": "dashboard",
        "keepTime": True,
        "targetBlank": False,
        "asDropdown": False,
        "includeVars": False,
        "tags": [],
        "tooltip": "",
    }
