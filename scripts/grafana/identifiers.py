"""Our identifiers in Grafana; a test holds the files in monitoring/grafana/provisioning/ to them."""

from scripts.common.project_files import project_file

TAG = "pulsequeue"
FOLDER_UID = "pulsequeue"
FOLDER_TITLE = "PulseQueue"
DATASOURCE_UID = "pulsequeue-prometheus"
DATASOURCE_NAME = "PulseQueue Prometheus"

DASHBOARDS = project_file("monitoring/grafana")
"""The folder of the generated dashboards."""

DATASOURCE_SETTINGS = {
    "httpMethod": "POST",
    "prometheusType": "Prometheus",
    # Metrics change once a minute; $__rate_interval is four times this.
    "timeInterval": "1m",
}
