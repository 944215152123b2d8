"""Prometheus's text format on standard input, as JSON: samples by name and labels, and buckets by route."""

import json
import sys

from prometheus_client.parser import text_string_to_metric_families

samples, buckets = {}, {}
for family in text_string_to_metric_families(sys.stdin.read()):
    assert family.type != "unknown" and family.documentation, family
    for sample in family.samples:
        labels = dict(sample.labels)
        if sample.name.endswith("_bucket"):
            end = float(labels["le"])
            route = buckets.setdefault(labels["route"], [])
            assert not route or route[-1][0] < end, (labels, route)
            route.append((end, sample.value))
        written = ",".join(f"{key}={labels[key]}" for key in sorted(labels))
        name = f"{sample.name}{{{written}}}" if labels else sample.name
        assert name not in samples, f"{name} stands twice"
        samples[name] = sample.value
assert all(ends[-1][0] == float("inf") for ends in buckets.values())
samples["buckets"] = {route: [value for _, value in ends] for route, ends in buckets.items()}
json.dump(samples, sys.stdout)
