{{- /* Namespaces that are never touched, as a list in one line. */ -}}
{{- define "tollgate.excludedNamespaces" -}}
{{- append .Values.injection.settings.excludedNamespaces .Release.Namespace | uniq | sortAlpha | toJson }}
{{- end -}}

{{- /* An image without tag and digest. */ -}}
{{- define "tollgate.repository" -}}
{{- regexReplaceAll "(:[^:/@]+)?(@.+)?$" . "" }}
{{- end -}}

{{- /*
Repositories that proxies came from before an upgrade named another, as a list in one line: pods that run them are genuine
until they are made anew. Without a cluster (`helm template`) none is known; injection.settings.imageMirrors takes them.
*/ -}}
{{- define "tollgate.formerRepositories" -}}
{{- $live := lookup "v1" "ConfigMap" .Release.Namespace (printf "%s-injection" (include "tollgate.name" .)) }}
{{- $former := list }}
{{- if $live }}
{{- $former = get ($live.metadata.annotations | default dict) "tollgate.dev/former-repositories" | default "" | splitList "," | compact }}
{{- $settings := get ($live.data | default dict) "injection.yaml" | default "" | fromYaml }}
{{- with $settings.proxyImage }}{{ $former = append $former (include "tollgate.repository" .) }}{{ end }}
{{- end }}
{{- $present := include "tollgate.image" (dict "root" . "image" .Values.images.proxy) | include "tollgate.repository" }}
{{- without ($former | uniq) $present | toJson }}
{{- end -}}

{{- /* The file that the injector reads: what the values say, and what only the chart knows. */ -}}
{{- define "tollgate.injectionSettings" -}}
{{- $former := include "tollgate.formerRepositories" . | fromJsonArray }}
{{- $known := dict
  "proxyImage" (include "tollgate.image" (dict "root" . "image" .Values.images.proxy))
  "imagePullPolicy" .Values.images.pullPolicy
  "serverUrl" (include "tollgate.serverUrl" .)
  "systemNamespace" .Release.Namespace
  "imageMirrors" (concat .Values.injection.settings.imageMirrors $former | uniq) }}
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
