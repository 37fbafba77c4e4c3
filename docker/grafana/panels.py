"""What the dashboards are made of: panels on a grid of 24 columns, each named by the question that it answers."""

PROMETHEUS = {"type": "prometheus", "uid": "${datasource}"}
GREEN, YELLOW, RED, BLUE = "green", "yellow", "red", "blue"


def steps(*limits, base=GREEN):
    """Colours from a value on: steps((0.8, YELLOW), (1, RED))."""
    return {
        "mode": "absolute",
        "steps": [{"color": base, "value": None}, *({"color": color, "value": value} for value, color in limits)],
    }


def query(expression, legend="", instant=False):
    target = {"datasource": PROMETHEUS, "expr": expression, "legendFormat": legend or "__auto"}
    return {**target, "instant": True, "range": False} if instant else {**target, "range": True}


def _panel(kind, title, queries, width, height, unit, help_text, defaults, options):
    for letter, target in zip("ABCDEFGH", queries):
        target["refId"] = letter
    return {
        "type": kind,
        "title": title,
        "description": help_text,
        "datasource": PROMETHEUS,
        "gridPos": {"w": width, "h": height},
        "targets": list(queries),
        "fieldConfig": {"defaults": {"unit": unit, **defaults}, "overrides": []},
        "options": options,
    }


def stat(title, expression, unit, limits=None, help_text="", width=4, decimals=None, mappings=()):
    """One number; its colour says whether to worry, its line how it came to that."""
    defaults = {"thresholds": limits or steps(base=BLUE), "mappings": list(mappings), "noValue": "none"}
    if decimals is not None:
        defaults["decimals"] = decimals
    options = {
        "colorMode": "value" if limits is None else "background",
        "graphMode": "area",
        "justifyMode": "center",
        "textMode": "value_and_name" if mappings else "value",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
    }
    return _panel("stat", title, [query(expression)], width, 4, unit, help_text, defaults, options)


def lines(title, queries, unit, help_text="", width=12, height=8, stacked=False, limits=None, most=None):
    """Lines over time, the largest at the end on top of the legend."""
    custom = {
        "lineWidth": 1 if stacked else 2,
        "fillOpacity": 30 if stacked else 6,
        "showPoints": "never",
        "lineInterpolation": "linear",
        "stacking": {"mode": "normal" if stacked else "none", "group": "A"},
        "thresholdsStyle": {"mode": "line" if limits else "off"},
    }
    defaults = {"custom": custom, "min": 0, "thresholds": limits or steps(), "color": {"mode": "palette-classic"}}
    if most is not None:
        defaults["max"] = most
    options = {
        "legend": {
            "displayMode": "table",
            "placement": "bottom",
            "calcs": ["lastNotNull", "max"],
            "sortBy": "Last *",
            "sortDesc": True,
        },
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    return _panel("timeseries", title, queries, width, height, unit, help_text, defaults, options)


def bars(title, expression, legend, unit, limits, help_text="", width=12, height=8, most=None):
    """One bar each, now."""
    defaults = {"thresholds": limits, "min": 0, "noValue": "none"}
    if most is not None:
        defaults["max"] = most
    options = {
        "displayMode": "lcd",
        "orientation": "horizontal",
        "valueMode": "color",
        "showUnfilled": True,
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
    }
    return _panel(
        "bargauge", title, [query(expression, legend, instant=True)], width, height, unit, help_text, defaults, options
    )


def states(title, expression, legend, values, help_text="", width=12, height=8):
    """What each was when: `values` are (number, word, colour)."""
    words = {str(number): {"text": word, "color": color, "index": i} for i, (number, word, color) in enumerate(values)}
    defaults = {
        "mappings": [{"type": "value", "options": words}],
        "custom": {"fillOpacity": 75, "lineWidth": 0},
        "color": {"mode": "thresholds"},
        "thresholds": steps(),
    }
    options = {
        "mergeValues": True,
        "showValue": "never",
        "rowHeight": 0.85,
        "legend": {"displayMode": "list", "placement": "bottom"},
        "tooltip": {"mode": "single"},
    }
    return _panel("state-timeline", title, [query(expression, legend)], width, height, "none", help_text, defaults, options)


def words(values):
    """Mappings of a stat: (number, word, colour)."""
    options = {str(number): {"text": word, "color": color, "index": i} for i, (number, word, color) in enumerate(values)}
    return [{"type": "value", "options": options}]


def chosen(name, metric, label=None):
    """A variable of a dashboard: any values of a label, all at first."""
    return {
        "type": "query",
        "name": name,
        "label": name,
        "datasource": PROMETHEUS,
        "query": {"query": f"label_values({metric}, {label or name})", "refId": name},
        "definition": f"label_values({metric}, {label or name})",
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": ["All"], "value": ["$__all"]},
    }


DATASOURCE = {
    "type": "datasource",
    "name": "datasource",
    "label": "Prometheus",
    "query": "prometheus",
    "current": {},
    "includeAll": False,
    "multi": False,
}


def dashboard(name, title, description, variables, panels, span="now-6h"):
    """Panels fill rows from left to right; a row is as high as its first one."""
    x = y = row_height = 0
    for number, panel in enumerate(panels, 1):
        place = panel["gridPos"]
        if x + place["w"] > 24:
            x, y, row_height = 0, y + row_height, 0
        place.update(x=x, y=y)
        panel["id"] = number
        x, row_height = x + place["w"], max(row_height, place["h"])
    link = {"type": "dashboards", "tags": ["tollgate"], "title": "tollgate", "includeVars": True, "keepTime": True}
    return {
        "uid": f"tollgate-{name}",
        "title": title,
        "description": description,
        "tags": ["tollgate"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "time": {"from": span, "to": "now"},
        "refresh": "30s",
        "timezone": "browser",
        "links": [link],
        "templating": {"list": [DATASOURCE, *variables]},
        "annotations": {"list": [RELOADS]},
        "panels": panels,
    }


RELOADS = {
    "name": "a new configuration",
    "datasource": PROMETHEUS,
    "enable": True,
    "iconColor": BLUE,
    "expr": "changes(tollgate_config_generation[1m]) > 0",
    "titleFormat": "configuration {{instance}}",
    "step": "60s",
}
