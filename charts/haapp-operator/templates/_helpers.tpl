{{/* The name is fixed, as the lease's is: two operators would not know of each other. */}}
{{- define "haapp.metadata" -}}
name: {{ .name | default "haapp-operator" }}
{{- if not .clusterScoped }}
namespace: {{ .root.Release.Namespace }}
{{- end }}
labels:
  app.kubernetes.io/name: haapp-operator
  app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
  app.kubernetes.io/managed-by: {{ .root.Release.Service }}
  helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- with .labels }}
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "haapp.selector" -}}
app.kubernetes.io/name: haapp-operator
{{- end }}

{{/* The selector of one shard's pods: of all, where there is one. */}}
{{- define "haapp.shardSelector" -}}
{{- $root := index . 0 -}}
{{ include "haapp.selector" $root }}
{{- if gt (int $root.Values.shards) 1 }}
highavailability.dev/shard: {{ index . 1 | quote }}
{{- end }}
{{- end }}

{{/* The leases that may be renewed: of one process, which gives its own back when it becomes several, and of each shard.
Those of other numbers of shards are only listed, which no name can limit: whoever holds one lets it run out. */}}
{{- define "haapp.leases" -}}
- haapp-operator
{{- $count := int .Values.shards }}
{{- if gt $count 1 }}
{{- if eq .Values.scope "Namespace" }}
{{- fail "shards: namespaces are what is split, and with scope Namespace there is one: leave it at 1" }}
{{- end }}
{{- range until $count }}
- haapp-operator-shard-{{ . }}-of-{{ $count }}
{{- end }}
{{- end }}
{{- end }}

{{- define "haapp.image" -}}
{{ .repository }}{{ with .digest }}@{{ . }}{{ else }}:{{ $.tag | default $.version }}{{ end }}
{{- end }}

{{- define "haapp.subject" -}}
- kind: ServiceAccount
  name: haapp-operator
  namespace: {{ .Release.Namespace }}
{{- end }}

{{/* What the operator needs in a namespace. manifests/namespaced/role.yaml says why, rule by rule. */}}
{{- define "haapp.rules" -}}
- apiGroups: [highavailability.dev]
  resources: [highavailabilityapps]
  verbs: [list, watch, get]
- apiGroups: [highavailability.dev]
  resources: [highavailabilityapps/status]
  verbs: [patch]
- apiGroups: [highavailability.dev]
  resources: [highavailabilityapps/finalizers]
  verbs: [update]
- apiGroups: [""]
  resources: [configmaps, serviceaccounts, services]
  verbs: [list, watch, get, create, patch, delete]
- apiGroups: [apps]
  resources: [deployments]
  verbs: [list, watch, get, create, patch, delete]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [list, watch, get, create, patch, delete]
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [list, watch, get, create, patch, delete]
- apiGroups: [networking.k8s.io]
  resources: [ingresses, networkpolicies]
  verbs: [list, watch, get, create, patch, delete]
- apiGroups: [gateway.networking.k8s.io]
  resources: [httproutes]
  verbs: [list, watch, get, create, patch, delete]
- apiGroups: [monitoring.coreos.com]
  resources: [podmonitors]
  verbs: [list, watch, get, create, patch, delete]
- apiGroups: [apps]
  resources: [replicasets]
  verbs: [list, watch, get]
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
- apiGroups: [""]
  resources: [pods/eviction]
  verbs: [create]
- apiGroups: [""]
  resources: [secrets]
  verbs: [list, watch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}
