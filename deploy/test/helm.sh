#!/usr/bin/env bash
# The Helm chart, with a real helm: linted, rendered with every values file of deploy/helm/ci, and each rendered object
# validated against the schemas of Kubernetes and of the resources of cert-manager and the Prometheus Operator that the
# chart uses. The alerts, with promtool; their runbooks have to be there. `npm run test:helm`.
#
# helm and kubeconform are compiled from their Go modules where they are not installed; the schemas come out of a
# Python package and of the Go modules that define the resources. Nothing is left behind but Go's own caches.
set -Eeuo pipefail
cd "$(dirname "$0")/../.."

HELM_VERSION=v3.19.5
KUBECONFORM_VERSION=v0.7.0
KUBERNETES_VALIDATE_VERSION=1.37.0
KUBERNETES_VERSIONS='v1.34.0 v1.37.0'
PROMETHEUS_OPERATOR=github.com/prometheus-operator/prometheus-operator@v0.92.1
CERT_MANAGER=github.com/cert-manager/cert-manager@v1.19.1
CHART=deploy/helm
RUNBOOKS=docs/operations/troubleshooting.md

WORK=$(mktemp -d -t agentstate-helm.XXXXXX)
trap 'rm -rf "$WORK"' EXIT
trap 'echo "FAIL line $LINENO: $BASH_COMMAND" >&2' ERR
say() { echo "== $(date +%T) $*"; }
fail() {
  echo "FAIL $*" >&2
  exit 1
}

# The program of this name, compiled when it is not installed.
tool() {
  local name=$1 module=$2
  if command -v "$name" >/dev/null; then return; fi
  say "compiling $name"
  GOBIN=$WORK/bin go install "$module" 2>"$WORK/$name.log" || { cat "$WORK/$name.log"; fail "no $name"; }
}

# The folder of a Go module's sources.
module_folder() { go mod download -json "$1" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p'; }

export PATH="$WORK/bin:/usr/local/go/bin:$PATH"
tool helm "helm.sh/helm/v3/cmd/helm@$HELM_VERSION"
tool kubeconform "github.com/yannh/kubeconform/cmd/kubeconform@$KUBECONFORM_VERSION"

say "schemas"
python3 -m pip install --quiet --root-user-action=ignore --no-deps --target "$WORK/python" "kubernetes-validate==$KUBERNETES_VALIDATE_VERSION" PyYAML
export PYTHONPATH=$WORK/python
for version in $KUBERNETES_VERSIONS; do
  python3 deploy/test/schemas.py kinds "$WORK/schemas/$version" \
    "$WORK/python/kubernetes_validate/kubernetes-json-schema/$version-local-strict" \
    configmap-v1 cronjob-batch-v1 ingress-networking-v1 networkpolicy-networking-v1 pod-v1 poddisruptionbudget-policy-v1 \
    secret-v1 service-v1 serviceaccount-v1 statefulset-apps-v1
done
operator=$(module_folder "$PROMETHEUS_OPERATOR")/example/prometheus-operator-crd
python3 deploy/test/schemas.py custom "$WORK/schemas/custom" \
  "$operator/monitoring.coreos.com_servicemonitors.yaml" "$operator/monitoring.coreos.com_prometheusrules.yaml" \
  "$(module_folder "$CERT_MANAGER")/deploy/crds/cert-manager.io_certificates.yaml"

# What is wrong is refused, or the checks below would prove nothing.
must_fail() {
  local what=$1
  shift
  if "$@" >/dev/null 2>&1; then fail "$what was accepted"; fi
}
validate() {
  local version=$1
  shift
  kubeconform -strict -summary \
    -schema-location "$WORK/schemas/$version/{{.ResourceKind}}{{.KindSuffix}}.json" \
    -schema-location "$WORK/schemas/custom/{{.ResourceKind}}{{.KindSuffix}}.json" "$@"
}
must_fail 'an unknown value' helm template x "$CHART" --set replicaCuont=3
must_fail 'a replica count that is no number' helm template x "$CHART" --set replicaCount=many
must_fail 'a grace period that cuts a stop off' helm template x "$CHART" --set preStopSeconds=31

for values in '' "$CHART"/ci/*-values.yaml; do
  name=$(basename "${values:-defaults.yaml}")
  options=()
  if [ -n "$values" ]; then options=(-f "$values"); fi
  say "$name"
  helm lint "$CHART" --strict --quiet "${options[@]}" 2>/dev/null || fail "helm lint with $name"
  helm template agentstate "$CHART" -n agentstate "${options[@]}" >"$WORK/$name" 2>"$WORK/error" ||
    { cat "$WORK/error"; fail "helm template with $name"; }
  for version in $KUBERNETES_VERSIONS; do validate "$version" "$WORK/$name"; done
done
# What the documents' kubectl commands name.
python3 - "$WORK/guide-values.yaml" <<'END'
import sys
import yaml

with open(sys.argv[1], encoding='utf-8') as rendered:
    objects = [one for one in yaml.safe_load_all(rendered) if one]
names = {f"{one['kind']}/{one['metadata']['name']}" for one in objects}
missing = {'StatefulSet/agentstate', 'Service/agentstate', 'ConfigMap/agentstate-grafana-dashboard'} - names
sys.exit(f'FAIL the chart makes no {missing}' if missing else 0)
END
sed 's/podManagementPolicy/podManagmentPolicy/' "$WORK/guide-values.yaml" >"$WORK/misspelt.yaml"
must_fail 'a misspelt field' validate v1.34.0 "$WORK/misspelt.yaml"
sed 's/issuerRef/issuerReference/' "$WORK/guide-values.yaml" >"$WORK/misspelt.yaml"
must_fail 'a misspelt field of a certificate' validate v1.34.0 "$WORK/misspelt.yaml"
helm package "$CHART" -d "$WORK/packaged" >/dev/null 2>&1
# Listed to the end before it is looked through: a reader that leaves early would fail the writer of a pipe.
packaged=$(tar -tzf "$WORK"/packaged/agentstate-*.tgz)
[[ $packaged == *files/agentstate-dashboard.json* ]] || fail 'the package lacks the dashboard'

say "alerts"
promtool check rules deploy/prometheus/alerts.yml
promtool test rules deploy/test/alerts.yml
sed "s#/etc/prometheus#$PWD/deploy/prometheus#" deploy/prometheus/prometheus.yml >"$WORK/prometheus.yml"
promtool check config "$WORK/prometheus.yml"
sed -n 's/.*runbook_url: .*#//p' deploy/prometheus/alerts.yml | sort -u | while read -r anchor; do
  sed -n 's/^#* //p' "$RUNBOOKS" | tr '[:upper:] ' '[:lower:]-' | sed 's/[^a-z0-9_-]//g' | grep -x "$anchor" >/dev/null ||
    fail "$RUNBOOKS has no section #$anchor"
done
say passed
