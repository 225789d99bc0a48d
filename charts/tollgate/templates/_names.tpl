{{- /* Names and labels. One program is a component: operator, injector, server, gateway, postgres, redis. */ -}}

{{- define "tollgate.name" -}}
{{- if .Values.fullnameOverride }}{{ .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains "tollgate" .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}{{ printf "%s-tollgate" .Release.Name | trunc 40 | trimSuffix "-" }}{{ end -}}
{{- end -}}

{{- /* What selects the pods of a component. It never changes: a Deployment's selector cannot. (dict "root" $ "component" "server") */ -}}
{{- define "tollgate.selector" -}}
app.kubernetes.io/name: tollgate
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "tollgate.labels" -}}
{{ include "tollgate.selector" . }}
app.kubernetes.io/part-of: tollgate
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* name, namespace and labels of an object of a component; the name's end is the component's unless `suffix` says another. */ -}}
{{- define "tollgate.metadata" -}}
name: {{ include "tollgate.name" .root }}-{{ .suffix | default .component }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "tollgate.labels" . | nindent 2 }}
{{- end -}}

{{- /* The same for an object that lies in no namespace. */ -}}
{{- define "tollgate.clusterMetadata" -}}
name: {{ include "tollgate.name" .root }}-{{ .suffix | default .component }}
labels:
  {{- include "tollgate.labels" . | nindent 2 }}
{{- end -}}

{{- /* (dict "root" $ "image" .Values.images.server) */ -}}
{{- define "tollgate.image" -}}
{{- $images := .root.Values.images -}}
{{- $tag := $images.tag | default .root.Chart.AppVersion -}}
{{ $images.prefix }}/{{ .image.name }}{{ if .image.digest }}@{{ .image.digest }}{{ else }}:{{ $tag }}{{ end }}
{{- end -}}

{{- define "tollgate.serverUrl" -}}
http://{{ include "tollgate.name" . }}-server.{{ .Release.Namespace }}.svc:4180
{{- end -}}

{{- /* Where the URL of a store lies: the user's Secret, the release's for a URL in the values, or the one that is made at run time. */ -}}
{{- define "tollgate.databaseSecret" -}}
{{- with .Values.database }}
{{- if .existingSecret }}{name: {{ .existingSecret }}, key: {{ .existingSecretKey }}}
{{- else }}{name: {{ include "tollgate.name" $ }}-{{ if .url }}database{{ else }}stores{{ end }}, key: database-url}{{ end }}
{{- end }}
{{- end -}}

{{- define "tollgate.redisSecret" -}}
{{- with .Values.redis }}
{{- if .existingSecret }}{name: {{ .existingSecret }}, key: {{ .existingSecretKey }}}
{{- else }}{name: {{ include "tollgate.name" $ }}-{{ if .url }}redis{{ else }}stores{{ end }}, key: redis-url}{{ end }}
{{- end }}
{{- end -}}

{{- /* Non-empty where the store of the release is used. */ -}}
{{- define "tollgate.builtInDatabase" -}}
{{- if not (or .Values.database.url .Values.database.existingSecret) }}yes{{ end -}}
{{- end -}}

{{- define "tollgate.builtInRedis" -}}
{{- if and .Values.redis.enabled (not (or .Values.redis.url .Values.redis.existingSecret)) }}yes{{ end -}}
{{- end -}}
