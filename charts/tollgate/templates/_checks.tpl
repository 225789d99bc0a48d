{{- /* What a schema cannot say: values that contradict each other, or the cluster. All faults at once. */ -}}
{{- define "tollgate.checks" -}}
{{- $faults := list }}
{{- range $store, $settings := dict "database" .Values.database "redis" .Values.redis }}
{{- if and $settings.url $settings.existingSecret }}
{{- $faults = append $faults (printf "%s.url and %s.existingSecret: set one of them" $store $store) }}
{{- end }}
{{- end }}
{{- if and (not .Values.redis.enabled) (or .Values.redis.url .Values.redis.existingSecret) }}
{{- $faults = append $faults "redis.enabled is false, but a Redis is named: set it to true, or leave url and existingSecret empty" }}
{{- end }}
{{- if and .Values.webhook.existingSecret .Values.webhook.certManager.enabled }}
{{- $faults = append $faults "webhook.existingSecret and webhook.certManager.enabled: set one of them" }}
{{- end }}
{{- if ne (empty .Values.webhook.existingSecret) (empty .Values.webhook.caBundle) }}
{{- $faults = append $faults "webhook.existingSecret and webhook.caBundle: neither is of use without the other" }}
{{- end }}
{{- if eq (int .Values.webhook.port) 4190 }}
{{- $faults = append $faults "webhook.port: 4190 is the injector's own port for probes and metrics; take another one" }}
{{- end }}
{{- if and .Values.gateway.autoscaling.enabled (lt (int .Values.gateway.autoscaling.maxReplicas) (int .Values.gateway.autoscaling.minReplicas)) }}
{{- $faults = append $faults "gateway.autoscaling.maxReplicas: must be at least minReplicas" }}
{{- end }}
{{- with .Values.injection.settings }}
{{- if eq (int .port) (int .adminPort) }}
{{- $faults = append $faults "injection.settings.port and injection.settings.adminPort: must differ" }}
{{- end }}
{{- end }}
{{- if and .Values.demo.enabled (has .Values.demo.namespace (include "tollgate.excludedNamespaces" . | fromJsonArray)) }}
{{- $faults = append $faults (printf "demo.namespace: nothing is injected in namespace %s; take another one" .Values.demo.namespace) }}
{{- end }}
{{- if and (eq .Values.injection.mode "policy") (semverCompare "<1.34.0-0" .Capabilities.KubeVersion.Version) }}
{{- $faults = append $faults (printf "injection.mode: policy needs Kubernetes 1.36, or 1.34 with the feature gate MutatingAdmissionPolicy; this is %s" .Capabilities.KubeVersion.Version) }}
{{- end }}
{{- if include "tollgate.builtInDatabase" . }}
{{- $name := printf "%s-postgres" (include "tollgate.name" .) }}
{{- $live := lookup "apps/v1" "StatefulSet" .Release.Namespace $name }}
{{- $isKept := .Values.database.builtIn.persistence.enabled }}
{{- if and $live (ne $isKept (not (empty $live.spec.volumeClaimTemplates))) }}
{{- $faults = append $faults (printf "database.builtIn.persistence.enabled=%t: the PostgreSQL of this release runs %s a volume, and Kubernetes takes no such change of a StatefulSet. To have it so all the same, with budgets that start anew: kubectl -n %s delete statefulset %s, and upgrade again. To leave it: --set database.builtIn.persistence.enabled=%t" $isKept (ternary "without" "with" $isKept) .Release.Namespace $name (not $isKept)) }}
{{- end }}
{{- end }}
{{- if $faults }}
{{- fail (printf "\n- %s" (join "\n- " $faults)) }}
{{- end }}
{{- end -}}
