{{- /* Work that has to be done in the cluster before the release is there. Each hook goes when it has done it. */ -}}

{{- define "tollgate.hook" -}}
helm.sh/hook: pre-install,pre-upgrade
helm.sh/hook-weight: {{ .weight | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end -}}

{{- define "tollgate.hookIdentity" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "tollgate.metadata" . | nindent 2 }}
  annotations:
    {{- include "tollgate.hook" (dict "weight" "-10") | nindent 4 }}
automountServiceAccountToken: false
{{- end -}}

{{- /* Runs a script of the ConfigMap of the same name, with what else is in it: (dict "root" $ "component" … "suffix" … "script" … "env" …) */ -}}
{{- define "tollgate.hookJob" -}}
apiVersion: batch/v1
kind: Job
metadata:
  {{- include "tollgate.metadata" . | nindent 2 }}
  annotations:
    {{- include "tollgate.hook" (dict "weight" "-5") | nindent 4 }}
spec:
  backoffLimit: 6
  activeDeadlineSeconds: 240
  # For those who apply the rendered manifests themselves: a Job cannot be changed, so it must be gone before the next one.
  ttlSecondsAfterFinished: 300
  template:
    metadata:
      labels:
        {{- include "tollgate.selector" . | nindent 8 }}
    spec:
      restartPolicy: Never
      serviceAccountName: {{ include "tollgate.name" .root }}-{{ .suffix }}
      automountServiceAccountToken: false
      enableServiceLinks: false
      securityContext:
        {{- include "tollgate.podSecurity" . | nindent 8 }}
      {{- with .root.Values.images.pullSecrets }}
      imagePullSecrets:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      containers:
        - name: script
          {{- include "tollgate.script" . | nindent 10 }}
      volumes:
        {{- include "tollgate.apiToken" . | nindent 8 }}
        - name: scripts
          configMap: {name: {{ include "tollgate.name" .root }}-{{ .suffix }}}
{{- end -}}

{{- /* A container that runs a script of the chart with the node of the server's image. */ -}}
{{- define "tollgate.script" -}}
image: {{ include "tollgate.image" (dict "root" .root "image" .root.Values.images.server) }}
imagePullPolicy: {{ .root.Values.images.pullPolicy }}
command: [node, /scripts/{{ .script }}]
env:
  # The API server's certificate is signed by the cluster's own authority.
  - {name: NODE_EXTRA_CA_CERTS, value: /var/run/secrets/kubernetes.io/serviceaccount/ca.crt}
  {{- toYaml .env | nindent 2 }}
resources:
  requests: {cpu: 20m, memory: 64Mi}
  limits: {memory: 256Mi}
securityContext:
  {{- include "tollgate.containerSecurity" . | nindent 2 }}
volumeMounts:
  {{- include "tollgate.apiTokenMount" . | nindent 2 }}
  - {name: scripts, mountPath: /scripts, readOnly: true}
{{- end -}}

{{- define "tollgate.demoHook" -}}
helm.sh/hook: post-install,post-upgrade
helm.sh/hook-delete-policy: before-hook-creation
{{- end -}}

{{- define "tollgate.testHook" -}}
helm.sh/hook: test
helm.sh/hook-weight: {{ .weight | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded,hook-failed
{{- end -}}
