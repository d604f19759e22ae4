{{- define "agentstate.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* At most 45 characters, so that a pod's name is a node id with room for its number. */}}
{{- define "agentstate.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 45 | trimSuffix "-" }}
{{- else if contains (include "agentstate.name" .) .Release.Name }}
{{- .Release.Name | trunc 45 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "agentstate.name" .) | trunc 45 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "agentstate.headless" -}}
{{ include "agentstate.fullname" . }}-peers
{{- end }}

{{- define "agentstate.selectorLabels" -}}
app.kubernetes.io/name: {{ include "agentstate.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "agentstate.labels" -}}
{{ include "agentstate.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "agentstate.secretName" -}}
{{- .Values.existingSecret | default (include "agentstate.fullname" .) }}
{{- end }}

{{- define "agentstate.tlsSecretName" -}}
{{- .Values.tls.secretName | default (printf "%s-tls" (include "agentstate.fullname" .)) }}
{{- end }}

{{- define "agentstate.peerTlsSecretName" -}}
{{- .Values.peerTls.secretName | default (include "agentstate.tlsSecretName" .) }}
{{- end }}

{{- define "agentstate.scheme" -}}
{{ if .Values.tls.enabled }}https{{ else }}http{{ end }}
{{- end }}

{{- define "agentstate.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (include "agentstate.fullname" .) }}
{{- end }}

{{/* name=host:port@region of the first members of this release and of the others. */}}
{{- define "agentstate.clusterNodes" -}}
{{- $members := list }}
{{- $name := include "agentstate.fullname" . }}
{{- $region := .Values.env.REGION | default "local" }}
{{- range $ordinal := until (int .Values.cluster.firstMembers) }}
{{- $members = append $members (printf "%s-%d=%s-%d.%s.%s.svc:7400@%s" $name $ordinal $name $ordinal (include "agentstate.headless" $) $.Release.Namespace $region) }}
{{- end }}
{{- if .Values.cluster.otherMembers }}
{{- $members = append $members .Values.cluster.otherMembers }}
{{- end }}
{{- join "," $members }}
{{- end }}

{{- define "agentstate.firstPeers" -}}
{{- $peers := list }}
{{- $name := include "agentstate.fullname" . }}
{{- range $ordinal := until (int .Values.cluster.firstMembers) }}
{{- $peers = append $peers (printf "%s-%d.%s.%s.svc:7400" $name $ordinal (include "agentstate.headless" $) $.Release.Namespace) }}
{{- end }}
{{- join "," $peers }}
{{- end }}
