{{- /* Namespaces that are never touched, as a list in one line. */ -}}
{{- define "tollgate.excludedNamespaces" -}}
{{- append .Values.injection.settings.excludedNamespaces .Release.Namespace | uniq | sortAlpha | toJson }}
{{- end -}}

{{- /* The file that the injector reads: what the values say, and what only the chart knows. */ -}}
{{- define "tollgate.injectionSettings" -}}
{{- $known := dict
  "proxyImage" (include "tollgate.image" (dict "root" . "image" .Values.images.proxy))
  "imagePullPolicy" .Values.images.pullPolicy
  "serverUrl" (include "tollgate.serverUrl" .)
  "systemNamespace" .Release.Namespace }}
{{- toYaml (merge $known .Values.injection.settings) }}
{{- end -}}

{{- /* The Secret that the injector serves from. */ -}}
{{- define "tollgate.tlsSecret" -}}
{{ .Values.webhook.existingSecret | default (printf "%s-webhook-tls" (include "tollgate.name" .)) }}
{{- end -}}

{{- /* Non-empty where the operator makes and publishes the certificates. */ -}}
{{- define "tollgate.rotates" -}}
{{- if and (eq .Values.injection.mode "webhook") (not .Values.webhook.existingSecret) (not .Values.webhook.certManager.enabled) }}yes{{ end -}}
{{- end -}}

{{- /* What a program may do, as it says itself: files/rbac.yaml, where each rule has its reason. */ -}}
{{- define "tollgate.rules" -}}
{{ .Files.Get "files/rbac.yaml" | replace "RELEASE-webhook-tls" (include "tollgate.tlsSecret" .) | replace "RELEASE" (include "tollgate.name" .) }}
{{- end -}}
